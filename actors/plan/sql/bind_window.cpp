// Window table functions in FROM: tumble, hop, cumulate and session.

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/bind_from.hpp"
#include "actors/plan/sql/expansion.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

struct window_function {
  std::string_view name;
  window_kind kind;
  std::size_t args_min, args_max;
  const char* usage;
};

constexpr std::array<window_function, 4> functions{{
    {"tumble", window_kind::tumble, 3, 4, "tumble(relation, event_time, size [, offset])"},
    {"hop", window_kind::hop, 4, 5, "hop(relation, event_time, slide, size [, offset])"},
    {"cumulate", window_kind::cumulate, 4, 5,
     "cumulate(relation, event_time, step, maximum [, offset])"},
    {"session", window_kind::session, 3, 3, "session(relation, event_time, gap)"},
}};

/// Windows that one row may lie in.
constexpr micros max_windows_per_row = 10'000;

constexpr const char* event_time_hint =
    "give the source an eventTime: {column: …, maxDelay: …} and pass that column on, or use "
    "window_start, window_end or proctime()";

// What may stand in FROM; or what a misspelt name may mean.
std::string functions_hint(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& x : functions)
    names.emplace_back(x.name);
  for (auto& x : expanding_functions())
    names.push_back(std::move(x));
  if (auto nearest = nearest_hint(name, names); !nearest.empty())
    return nearest;
  std::string text = "the functions in FROM are ";
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

} // namespace

result<micros> from_binder::span(const ast& argument, std::string_view what, bool may_be_negative) {
  const auto at = start_of(argument);
  bind_context context;
  context.no_aggregates = "aggregate functions are not allowed in window sizes";
  context.no_overs = "window functions are not allowed in window sizes";
  expr_binder binder{planner_.query, std::move(context)};
  EBB_ASSIGN(auto bound, binder.bind(argument));
  constexpr sql_type interval{type_kind::interval};
  if (!can_coerce(bound->type, interval, cast_context::implicit))
    return planner_.query.fail(ec::invalid_argument, at,
                               "the " + std::string(what) + " of a window must be an interval, not "
                                   + to_string(bound->type),
                               "write INTERVAL '10 seconds'");
  EBB_ASSIGN(bound, coerce(planner_.query, bound, interval, cast_context::implicit, at));
  bound = fold_constants(bound);
  if (bound->kind != expr_kind::literal || bound->value.is_null(0))
    return planner_.query.fail(ec::invalid_argument, at,
                               "the " + std::string(what)
                                   + " of a window must be a constant interval",
                               "write INTERVAL '10 seconds'");
  const auto value = bound->value.data<interval_value>()[0];
  if (value.months != 0)
    return planner_.query.fail(
        ec::unsupported, at, "windows of months or years are not supported: they differ in length",
        "write the " + std::string(what) + " in days");
  const auto total = static_cast<int128>(value.days) * micros_per_day + value.micros;
  constexpr int128 limit = static_cast<int128>(micros_per_day) * 365'250;
  if (may_be_negative ? total < -limit || total > limit : total <= 0 || total > limit)
    return planner_.query.fail(
        ec::invalid_argument, at,
        "the " + std::string(what) + " of a window must be "
            + (may_be_negative ? "at most 1,000 years" : "positive and at most 1,000 years"));
  return static_cast<micros>(total);
}

result<void> from_binder::take_time(const ast& argument, const named_relation& rows,
                                    const std::string& relation, window_request& window) {
  const auto& text = planner_.query;
  const auto at = start_of(argument);
  const auto node = open(argument);
  if (planner_.build.node(rows.node).updating)
    return text.fail(ec::unsupported, at,
                     "windows over \"" + relation
                         + "\" are not supported: its rows update, and a window that has fired "
                           "would be wrong",
                     "group by date_trunc or date_bin of the time instead");
  if (node.is("FuncCall") && names(list(*node.body, "funcname")).back() == "proctime"
      && list(*node.body, "args").empty()) {
    window.spec.processing_time = true;
    return {};
  }
  if (!node.is("ColumnRef"))
    return text.fail(ec::invalid_argument, at,
                     "the time of a window must be a column of \"" + relation + "\" or proctime()",
                     "compute it in a subquery first");
  scope columns;
  columns.relations = {relation};
  const auto& known = planner_.build.columns(rows.node);
  for (std::uint32_t i = 0; i < known.size(); ++i)
    columns.columns.push_back({relation, rows.columns[i], make_column_ref(i, known[i].type)});
  EBB_ASSIGN(const auto found, columns.find(text, names(list(*node.body, "fields")), at));
  const auto& column = known[found->index];
  const auto shown_name = '"' + rows.columns[found->index] + '"';
  if (column.type.kind != type_kind::timestamp && column.type.kind != type_kind::timestamptz)
    return text.fail(ec::invalid_argument, at,
                     "window without event time: column " + shown_name + " is of type "
                         + to_string(column.type) + ", not timestamp",
                     event_time_hint);
  const auto role = role_of(column);
  if (role.role == column_role::plain)
    return text.fail(ec::invalid_argument, at,
                     "window without event time: no watermark follows column " + shown_name,
                     event_time_hint);
  if (!role.usable())
    return text.fail(ec::unsupported, at,
                     "windows over column " + shown_name
                         + " are not supported: it lags behind the watermark without bound",
                     role.role == column_role::window_start ? "use window_end" : event_time_hint);
  if (role.window.processing_time)
    return text.fail(ec::unsupported, at,
                     "windows over windows of processing time are not supported",
                     "use proctime() again");
  window.spec.time_column = static_cast<std::int32_t>(found->index);
  window.shift = std::max<micros>(0, role.lag);
  return {};
}

result<window_request> from_binder::window_of(const std::string& function, const ast& call,
                                              const named_relation& rows,
                                              const std::string& relation) {
  const auto& text = planner_.query;
  const auto at = place_of(call);
  const auto& known = *std::find_if(functions.begin(), functions.end(),
                                    [&](const auto& f) { return f.name == function; });
  const auto& args = list(call, "args");
  if (args.size() < known.args_min || args.size() > known.args_max)
    return text.fail(
        ec::invalid_argument, at,
        function + " takes " + std::to_string(known.args_min)
            + (known.args_max > known.args_min ? " or " + std::to_string(known.args_max) : "")
            + " arguments, not " + std::to_string(args.size()),
        std::string("write ") + known.usage);
  window_request window;
  auto& spec = window.spec;
  spec.kind = known.kind;
  EBB_TRY(take_time(args[1], rows, relation, window));
  switch (spec.kind) {
  case window_kind::hop: {
    EBB_ASSIGN(spec.slide, span(args[2], "slide", false));
    EBB_ASSIGN(spec.size, span(args[3], "size", false));
    if (spec.slide > spec.size)
      return text.fail(ec::invalid_argument, start_of(args[2]),
                       "the slide of a hop must not be larger than its size",
                       "the order is hop(relation, event_time, slide, size)");
    break;
  }
  case window_kind::cumulate: {
    EBB_ASSIGN(spec.slide, span(args[2], "step", false));
    EBB_ASSIGN(spec.size, span(args[3], "maximum", false));
    if (spec.size % spec.slide != 0)
      return text.fail(ec::invalid_argument, start_of(args[3]),
                       "the maximum of cumulate must be a multiple of its step",
                       "the order is cumulate(relation, event_time, step, maximum)");
    break;
  }
  default: {
    EBB_ASSIGN(spec.size, span(args[2], spec.kind == window_kind::session ? "gap" : "size", false));
    break;
  }
  }
  if (spec.slide != 0 && (spec.size + spec.slide - 1) / spec.slide > max_windows_per_row)
    return text.fail(
        ec::invalid_argument, at,
        "a row would lie in " + std::to_string((spec.size + spec.slide - 1) / spec.slide)
            + " windows; at most " + std::to_string(max_windows_per_row) + " are supported",
        spec.kind == window_kind::hop ? "make the slide larger or the size smaller"
                                      : "make the step larger or the maximum smaller");
  const auto period = spec.kind == window_kind::hop ? spec.slide : spec.size;
  if (args.size() == known.args_max && known.args_max > known.args_min) {
    EBB_ASSIGN(const auto offset, span(args.back(), "offset", true));
    spec.offset = ((offset % period) + period) % period;
  }
  return window;
}

result<from_clause> from_binder::bind_window_function(const ast& body) {
  const auto& text = planner_.query;
  const auto& calls = list(body, "functions");
  const auto first = calls.size() == 1 ? open(calls.front()) : ast_node{};
  const auto& parts = first.is("List") ? list(*first.body, "items") : ast::array_t{};
  const auto call = parts.empty() ? ast_node{} : open(parts.front());
  if (!call.is("FuncCall"))
    return text.fail(ec::unsupported, parts.empty() ? -1 : start_of(parts.front()),
                     "this function in FROM is not supported", functions_hint({}));
  const auto at = place_of(*call.body);
  const auto path = names(list(*call.body, "funcname"));
  const auto name = path.empty() ? std::string{} : path.back();
  const bool known = path.size() == 1
                     && std::any_of(functions.begin(), functions.end(),
                                    [&](const auto& f) { return f.name == name; });
  if (!known)
    return text.fail(ec::unsupported, at, "function " + name + " in FROM is not supported",
                     functions_hint(name));
  if (flag(body, "lateral") || flag(body, "ordinality") || flag(body, "is_rowsfrom")
      || has(body, "coldeflist"))
    return text.fail(ec::unsupported, at,
                     "LATERAL, ROWS FROM and WITH ORDINALITY are not supported");
  const auto& args = list(*call.body, "args");
  const auto source = args.empty() ? ast_node{} : open(args.front());
  const auto relation_path =
      source.is("ColumnRef") ? names(list(*source.body, "fields")) : std::vector<std::string>{};
  if (relation_path.size() != 1 || relation_path.front().empty())
    return text.fail(ec::invalid_argument, args.empty() ? at : start_of(args.front()),
                     "the first argument of " + name + " must be the name of a relation",
                     "name a source, an operator or a WITH query");
  const auto& relation = relation_path.front();
  EBB_ASSIGN(const auto rows, planner_.relation(relation, start_of(args.front())));
  EBB_ASSIGN(auto window, window_of(name, *call.body, rows, relation));
  const auto& alias = child(body, "alias");
  const std::string shown{ebb::sql::text(alias, "aliasname")};
  return leaf(rows.node, shown.empty() ? relation : shown, rows.columns,
              names(list(alias, "colnames")), std::move(window), at);
}

} // namespace ebb::sql
