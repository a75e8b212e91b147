// Functions OVER a window: which rows, in which order, over which frame.

#include "actors/dataflow/ordered_set.hpp"
#include "actors/plan/sql/bind_expr.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace ebb::sql {

namespace {

// Bits of PostgreSQL's WindowDef.frameOptions.
namespace frame_option {
constexpr std::int64_t range = 0x2;
constexpr std::int64_t rows = 0x4;
constexpr std::int64_t groups = 0x8;
constexpr std::int64_t start_unbounded_preceding = 0x20;
constexpr std::int64_t start_current_row = 0x200;
constexpr std::int64_t end_current_row = 0x400;
constexpr std::int64_t start_offset_preceding = 0x800;
constexpr std::int64_t exclusion = 0x8000 | 0x10000 | 0x20000;
} // namespace frame_option

struct over_function {
  std::string_view name;
  over_call::kind what;
  std::size_t args_min, args_max;
};

constexpr std::array<over_function, 6> functions{{
    {"row_number", over_call::kind::row_number, 0, 0},
    {"rank", over_call::kind::rank, 0, 0},
    {"dense_rank", over_call::kind::dense_rank, 0, 0},
    {"lag", over_call::kind::lag, 1, 2},
    {"first_value", over_call::kind::first_value, 1, 1},
    {"last_value", over_call::kind::last_value, 1, 1},
}};

constexpr std::array<std::string_view, 5> need_later_rows{"lead", "ntile", "percent_rank",
                                                          "cume_dist", "nth_value"};

constexpr const char* frames_hint =
    "use ROWS or RANGE BETWEEN n PRECEDING AND CURRENT ROW: later rows are not known yet";

std::optional<std::int64_t> integer_literal(const expr& x) {
  if (x.kind != expr_kind::literal || x.value.is_null(0))
    return std::nullopt;
  switch (x.type.kind) {
  case type_kind::smallint:
    return x.value.data<std::int16_t>()[0];
  case type_kind::integer:
    return x.value.data<std::int32_t>()[0];
  case type_kind::bigint:
    return x.value.data<std::int64_t>()[0];
  default:
    return std::nullopt;
  }
}

} // namespace

result<const ast*> expr_binder::window_named(std::string_view name, std::int32_t at) const {
  if (context_.windows != nullptr)
    for (const auto& item : *context_.windows) {
      const auto node = open(item);
      if (node.is("WindowDef") && ebb::sql::text(*node.body, "name") == name)
        return node.body;
    }
  return text_.fail(ec::invalid_argument, at,
                    "window \"" + std::string(name) + "\" does not exist");
}

result<void> expr_binder::bind_frame(const ast& definition, over_use& use) {
  const auto options = number(definition, "frameOptions");
  const auto at = place_of(definition);
  const auto refuse = [&](const char* what) {
    return text_.fail(ec::unsupported, at, std::string(what) + " is not supported", frames_hint);
  };
  if ((options & frame_option::groups) != 0)
    return refuse("a GROUPS frame");
  if ((options & frame_option::exclusion) != 0)
    return refuse("EXCLUDE in a frame");
  if ((options & frame_option::end_current_row) == 0)
    return refuse("a frame that does not end at the current row");
  use.frame.range = (options & frame_option::range) != 0;
  use.frame.unbounded = (options & frame_option::start_unbounded_preceding) != 0;
  if (use.frame.unbounded || (options & frame_option::start_current_row) != 0)
    return {};
  if ((options & frame_option::start_offset_preceding) == 0)
    return refuse("a frame that does not start before the current row");
  const auto& offset = child(definition, "startOffset");
  bind_context constant;
  constant.no_aggregates = "aggregate functions are not allowed in a frame";
  constant.no_overs = "window functions are not allowed in a frame";
  expr_binder binder{text_, std::move(constant)};
  EBB_ASSIGN(auto bound, binder.bind(offset));
  if (use.frame.range) {
    EBB_ASSIGN(bound, coerce(text_, bound, sql_type{type_kind::interval}, cast_context::implicit,
                             start_of(offset)));
    if (bound->kind != expr_kind::literal || bound->value.is_null(0))
      return text_.fail(ec::unsupported, start_of(offset), "a frame bound must be a constant");
    const auto span = bound->value.data<interval_value>()[0];
    const auto total = static_cast<int128>(span.days) * micros_per_day + span.micros;
    if (span.months != 0)
      return text_.fail(ec::unsupported, start_of(offset),
                        "a RANGE frame of months is not supported: months differ in length",
                        "write it in days");
    if (total < 0 || total > max_time)
      return text_.fail(ec::invalid_argument, start_of(offset),
                        "invalid preceding or following size in window function");
    use.frame.preceding = static_cast<std::int64_t>(total);
    return {};
  }
  const auto rows = integer_literal(*bound);
  if (!rows)
    return text_.fail(ec::unsupported, start_of(offset), "a frame bound must be a constant number");
  if (*rows < 0)
    return text_.fail(ec::invalid_argument, start_of(offset),
                      "frame starting offset must not be negative");
  use.frame.preceding = *rows;
  return {};
}

result<void> expr_binder::bind_window(const ast& definition, expr_binder& inner, over_use& use) {
  // `OVER (w ORDER BY …)` starts from the window w.
  if (has(definition, "refname")) {
    EBB_ASSIGN(const auto* base,
               window_named(ebb::sql::text(definition, "refname"), place_of(definition)));
    if (inner.depth_ >= max_expr_depth)
      return text_.fail(ec::invalid_argument, place_of(definition),
                        "windows refer to each other too deeply");
    ++inner.depth_;
    EBB_TRY(bind_window(*base, inner, use));
    if (!list(definition, "partitionClause").empty())
      return text_.fail(ec::invalid_argument, place_of(definition),
                        "cannot override PARTITION BY clause of window \""
                            + std::string(ebb::sql::text(definition, "refname")) + '"');
  }
  for (const auto& node : list(definition, "partitionClause")) {
    EBB_ASSIGN(auto x, inner.bind_value(node));
    use.partition.push_back(std::move(x));
  }
  for (const auto& node : list(definition, "orderClause")) {
    EBB_ASSIGN(auto item, inner.bind_sort(node));
    use.order.push_back(std::move(item));
  }
  return {};
}

result<expr_ptr> expr_binder::bind_over(const std::string& name, const ast& body) {
  const auto at = place_of(body);
  if (context_.overs == nullptr)
    return text_.fail(ec::invalid_argument, at, context_.no_overs);
  auto context = context_;
  context.overs = nullptr;
  context.no_overs = "window function calls cannot be nested";
  expr_binder inner{text_, std::move(context)};
  inner.depth_ = depth_;
  over_use use;
  use.at = at;
  use.name = name;
  const auto* definition = &child(body, "over");
  if (has(*definition, "name")) {
    EBB_ASSIGN(definition,
               window_named(ebb::sql::text(*definition, "name"), place_of(*definition)));
  }
  EBB_TRY(bind_window(*definition, inner, use));
  EBB_TRY(bind_frame(*definition, use));
  const auto found = std::find_if(functions.begin(), functions.end(),
                                  [&](const auto& known) { return known.name == name; });
  if (found != functions.end()) {
    const auto& nodes = list(body, "args");
    if (nodes.size() < found->args_min || nodes.size() > found->args_max || flag(body, "agg_star"))
      return text_.fail(name == "lag" && nodes.size() == 3 ? ec::unsupported : ec::invalid_argument,
                        at,
                        name == "lag" && nodes.size() == 3
                            ? "lag with a default value is not supported"
                            : "function " + name + " does not take these arguments",
                        name == "lag" ? "write coalesce(lag(x), …)" : "");
    use.what = found->what;
    use.call.type = sql_type{type_kind::bigint};
    if (!nodes.empty()) {
      EBB_ASSIGN(auto value, inner.bind_value(nodes[0]));
      use.call.type = value->type;
      use.call.args.push_back(std::move(value));
    }
    if (nodes.size() > 1) {
      EBB_ASSIGN(const auto distance, inner.bind(nodes[1]));
      const auto rows = integer_literal(*distance);
      if (!rows || *rows < 0)
        return text_.fail(ec::unsupported, start_of(nodes[1]),
                          "the distance of lag must be a constant that is not negative");
      use.distance = *rows;
    }
  } else if (!find_aggregates(name).empty()) {
    use.what = over_call::kind::aggregate;
    EBB_ASSIGN(use.call, aggregate_call_of(name, body, inner));
    if (is_ordered_set(*use.call.function))
      return text_.fail(ec::unsupported, at,
                        "OVER is not supported for ordered-set aggregate " + name);
    if (use.call.distinct)
      return text_.fail(ec::unsupported, at, "DISTINCT is not implemented for window functions");
    if (has(body, "agg_order"))
      return text_.fail(ec::unsupported, at,
                        "aggregate ORDER BY is not implemented for window functions");
  } else if (std::find(need_later_rows.begin(), need_later_rows.end(), name)
             != need_later_rows.end()) {
    return text_.fail(ec::unsupported, at, name + " is not supported",
                      "its value depends on rows that are not known yet");
  } else {
    return text_.fail(ec::invalid_argument, at,
                      "OVER specified, but " + name
                          + " is not a window function nor an aggregate function");
  }
  const auto type = use.call.type;
  auto& uses = *context_.overs;
  uses.push_back(std::move(use));
  return make_column_ref(over_base + static_cast<std::uint32_t>(uses.size() - 1), type,
                         name + "() OVER");
}

} // namespace ebb::sql
