// Function calls, array subscripts, and the functions that a stream cannot have.

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/expansion.hpp"
#include "actors/plan/sql/overload.hpp"

#include <algorithm>
#include <array>

namespace ebb::sql {

namespace {

constexpr const char* add_casts =
    "no function matches the given name and argument types; you might "
    "need to add explicit type casts";

template <std::size_t N>
bool among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// Kinds that a function call of the type's name casts to: `date(ts)`.
std::optional<sql_type> type_named(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, type_kind>, 13> kinds{
      {{"bool", type_kind::boolean},
       {"int2", type_kind::smallint},
       {"int4", type_kind::integer},
       {"int8", type_kind::bigint},
       {"float4", type_kind::real},
       {"float8", type_kind::double_precision},
       {"numeric", type_kind::numeric},
       {"text", type_kind::text},
       {"varchar", type_kind::text},
       {"date", type_kind::date},
       {"timestamp", type_kind::timestamp},
       {"timestamptz", type_kind::timestamptz},
       {"interval", type_kind::interval}}};
  for (const auto& [known, kind] : kinds)
    if (known == name)
      return sql_type{kind};
  return std::nullopt;
}

// The type that stands for `any` parameters in a result: element type of the array argument, or
// the array itself.
sql_type result_type(const scalar_function& chosen, std::span<const expr_ptr> args) {
  const auto array = std::find_if(
      args.begin(), args.end(), [](const auto& arg) { return arg->type.kind == type_kind::array; });
  if (chosen.returns.kind == type_kind::unknown && array != args.end())
    return (*array)->type.element_type();
  if (chosen.returns.kind == type_kind::unknown && !args.empty())
    return bare(args.front()->type);
  if (chosen.returns.kind == type_kind::array && chosen.returns.element == type_kind::unknown) {
    if (array != args.end())
      return bare((*array)->type);
    if (!args.empty())
      return bare(args.front()->type).array_of();
  }
  return chosen.returns;
}

} // namespace

result<expr_ptr> expr_binder::call(const scalar_function& chosen, std::vector<expr_ptr> args,
                                   std::string written, std::int32_t at) {
  for (std::size_t i = 0; i < args.size(); ++i) {
    const auto& param = chosen.params[std::min(i, chosen.params.size() - 1)];
    const bool any = param.kind == type_kind::unknown
                     || (param.kind == type_kind::array && param.element == type_kind::unknown);
    if (any) {
      EBB_ASSIGN(args[i], settle(text_, args[i], at));
    } else {
      EBB_ASSIGN(args[i], coerce(text_, args[i], param, cast_context::implicit, at));
      args[i] = folded(args[i]);
    }
  }
  const auto type = result_type(chosen, args);
  auto made = make_call(chosen, type, std::move(args), std::move(written));
  if (!made)
    return text_.locate(std::move(made).error(), at);
  return folded(*std::move(made));
}

result<expr_ptr> expr_binder::refused_function(const std::string& name, std::int32_t at) {
  static constexpr std::array<std::string_view, 5> clocks{
      "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"};
  static constexpr std::array<std::string_view, 8> volatile_ones{
      "random", "gen_random_uuid", "nextval",  "currval",
      "setval", "setseed",         "pg_sleep", "version"};
  static constexpr std::array<std::string_view, 10> sets{
      "unnest",          "generate_series", "regexp_matches", "regexp_split_to_table",
      "string_to_table", "json_each",       "jsonb_each",     "jsonb_array_elements",
      "jsonb_array_elements_text", "jsonb_object_keys"};
  static constexpr std::array<std::string_view, 4> windows{"tumble", "hop", "cumulate", "session"};
  if (among(clocks, name))
    return text_.fail(ec::unsupported, at, name + "() is not supported here",
                      "compare a time with it in WHERE: ts > now() - INTERVAL '1 hour'; elsewhere "
                      "use the event-time column, or proctime() in a window function");
  if (among(volatile_ones, name))
    return text_.fail(ec::unsupported, at, name + "() is not supported",
                      "results must be the same when a row is read again");
  const auto expanding = expanding_functions();
  const bool expands = std::find(expanding.begin(), expanding.end(), name) != expanding.end();
  if (among(sets, name) && !expands)
    return text_.fail(ec::unsupported, at, name + "() is not supported",
                      name == "regexp_matches"
                          ? "take the first match with regexp_match(text, pattern), or each one's "
                            "surroundings with regexp_split_to_table(text, pattern)"
                          : "take the keys with jsonb_object_keys(object), and the value of each "
                            "with object -> key");
  if (among(sets, name))
    return text_.fail(ec::unsupported, at,
                      name + " returns several rows, which is not supported here",
                      "let it stand in FROM: FROM orders, unnest(orders.tags) AS tag; or alone as an "
                      "output column");
  if (among(windows, name))
    return text_.fail(ec::invalid_argument, at, name + " is a table function: it stands in FROM",
                      "write FROM " + name + "(relation, event_time, INTERVAL '…')");
  return text_.fail(ec::internal, at, name);
}

expr_ptr expr_binder::present(type_kind kind, std::string written, std::int32_t at) {
  auto x = make_column_ref(now_index, sql_type{kind}, std::move(written));
  if (context_.places != nullptr)
    context_.places->insert_or_assign(x.get(), at);
  return x;
}

// Functions that take anything see its text: concat as PostgreSQL prints values (`t` for true),
// quote_literal as a cast gives it.
result<std::vector<expr_ptr>>
expr_binder::outputs_as_text(std::string_view name, std::vector<expr_ptr> args, std::int32_t at) {
  const bool prints = name == "concat" || name == "concat_ws" || name == "format";
  if (!prints && name != "quote_literal" && name != "quote_nullable")
    return args;
  for (auto& arg : args) {
    if (prints && arg->type.kind == type_kind::boolean) {
      EBB_ASSIGN(arg, function("boolout", {arg}, at));
    } else {
      EBB_ASSIGN(arg,
                 coerce(text_, arg, sql_type{type_kind::text}, cast_context::explicit_only, at));
    }
  }
  return args;
}

result<expr_ptr> expr_binder::function(const std::string& name, std::vector<expr_ptr> args,
                                       std::int32_t at) {
  const auto& catalog = builtin_functions();
  EBB_ASSIGN(args, outputs_as_text(name, std::move(args), at));
  std::vector<signature> candidates;
  std::vector<const scalar_function*> functions;
  for (const auto& overload : catalog.overloads(name))
    if (auto params = expand(overload->params, overload->variadic, args.size())) {
      candidates.push_back(std::move(*params));
      functions.push_back(overload.get());
    }
  std::vector<sql_type> types;
  for (const auto& arg : args)
    types.push_back(bare(arg->type));
  const auto choice = choose_overload(candidates, types, false);
  if (choice.outcome == overload_outcome::found) {
    auto written = name + '(';
    for (std::size_t i = 0; i < args.size() && written.size() < 60; ++i)
      written += (i > 0 ? ", " : "") + shown(*args[i]);
    return call(*functions[choice.index], std::move(args), written + ')', at);
  }
  if (choice.outcome == overload_outcome::ambiguous)
    return text_.fail(ec::invalid_argument, at,
                      "function " + call_text(name, types) + " is not unique",
                      "could not choose a best candidate function; you might need to add explicit "
                      "type casts");
  if (const auto type = type_named(name);
      type && args.size() == 1 && can_coerce(types[0], *type, cast_context::explicit_only)) {
    EBB_ASSIGN(auto bound, coerce(text_, args[0], *type, cast_context::explicit_only, at));
    return folded(std::move(bound));
  }
  static constexpr std::array<std::string_view, 6> absent{
      "jsonb_agg", "jsonb_object_agg", "overlaps", "width_bucket", "unistr", "normalize"};
  if (among(absent, name))
    return text_.fail(ec::unsupported, at,
                      (name == "overlaps" ? std::string("OVERLAPS") : name + "()")
                          + " is not supported",
                      name == "overlaps"       ? "compare the ends: a.start < b.end AND b.start < a.end"
                      : name == "jsonb_agg"    ? "gather values with array_agg(x)"
                      : name == "width_bucket" ? "compute it: floor((x - low) / (high - low) * count) + 1"
                                               : "let the program that writes the source do it");
  static constexpr std::array<std::string_view, 8> flink{
      "tumble_start", "tumble_end",  "hop_start",     "hop_end",
      "session_start", "session_end", "tumble_rowtime", "hop_rowtime"};
  if (among(flink, name))
    return text_.fail(ec::unsupported, at, name + "() is not supported",
                      "write FROM " + name.substr(0, name.find('_'))
                          + "(relation, event_time, INTERVAL '…'), and take window_start and "
                            "window_end of its rows");
  std::string hint = add_casts;
  if (catalog.overloads(name).empty()) {
    auto all = catalog.names();
    const auto aggregates = aggregate_names();
    all.insert(all.end(), aggregates.begin(), aggregates.end());
    std::erase_if(all, [](const auto& known) {
      return known.empty() || !((known[0] >= 'a' && known[0] <= 'z') || known[0] == '_')
             || known.find(' ') != std::string::npos || known == "cast";
    });
    if (auto nearest = nearest_hint(name, all); !nearest.empty())
      hint = std::move(nearest);
  }
  return text_.fail(ec::invalid_argument, at,
                    "function " + call_text(name, types) + " does not exist", hint);
}

result<expr_ptr> expr_binder::call_function(const std::string& name, std::vector<expr_ptr> args,
                                            std::int32_t at, const std::string& shown_name) {
  auto made = function(name, std::move(args), at);
  if (made)
    return made;
  auto problem = std::move(made).error();
  if (const auto found = problem.message.find(name + '('); found != std::string::npos)
    problem.message.replace(found, name.size(), shown_name);
  return problem;
}

result<expr_ptr> expr_binder::bind_function(const ast& body) {
  static constexpr std::array<std::string_view, 27> refused{"now",
                                                            "clock_timestamp",
                                                            "statement_timestamp",
                                                            "transaction_timestamp",
                                                            "timeofday",
                                                            "random",
                                                            "gen_random_uuid",
                                                            "nextval",
                                                            "currval",
                                                            "setval",
                                                            "setseed",
                                                            "pg_sleep",
                                                            "version",
                                                            "unnest",
                                                            "generate_series",
                                                            "regexp_matches",
                                                            "regexp_split_to_table",
                                                            "string_to_table",
                                                            "json_each",
                                                            "jsonb_each",
                                                            "jsonb_array_elements",
                                                            "jsonb_array_elements_text",
                                                            "jsonb_object_keys",
                                                            "tumble",
                                                            "hop",
                                                            "cumulate",
                                                            "session"};
  static constexpr std::array<std::string_view, 11> over_only{
      "row_number", "rank",      "dense_rank", "lag",          "lead",     "first_value",
      "last_value", "nth_value", "ntile",      "percent_rank", "cume_dist"};
  const auto at = place_of(body);
  const auto path = names(list(body, "funcname"));
  if (path.empty() || path.size() > 2 || (path.size() == 2 && path.front() != "pg_catalog"))
    return text_.fail(ec::unsupported, at, "functions with a schema are not supported",
                      "write the name alone");
  const auto& name = path.back();
  if (has(body, "over"))
    return bind_over(name, body);
  if (among(over_only, name) && flag(body, "agg_within_group"))
    return text_.fail(ec::unsupported, at, name + " … WITHIN GROUP is not supported",
                      "count the rows that come before: count(*) FILTER (WHERE …)");
  if (among(over_only, name))
    return text_.fail(ec::invalid_argument, at,
                      "window function " + name + " requires an OVER clause");
  if (!find_aggregates(name).empty())
    return bind_aggregate(name, body);
  const auto& nodes = list(body, "args");
  if (context_.now && nodes.empty() && (name == "now" || name == "transaction_timestamp"))
    return present(type_kind::timestamptz, name + "()", at);
  if (among(refused, name))
    return refused_function(name, at);
  if (name == "proctime" && nodes.empty()) {
    if (context_.proctime) {
      auto stamp = make_column_ref(proctime_index, sql_type{type_kind::timestamp}, "proctime()");
      if (context_.places != nullptr)
        context_.places->insert_or_assign(stamp.get(), at);
      return stamp;
    }
    return text_.fail(ec::unsupported, at, "proctime() is not supported here",
                      "use it as the time of a window function, or in the SELECT list");
  }
  for (const char* modifier :
       {"agg_star", "agg_distinct", "agg_filter", "agg_within_group", "agg_order"})
    if (has(body, modifier)) {
      const std::string_view key{modifier};
      const auto what = key == "agg_star"       ? std::string(name) + "(*) specified"
                        : key == "agg_distinct" ? "DISTINCT specified"
                        : key == "agg_filter"   ? "FILTER specified"
                        : key == "agg_order"    ? "ORDER BY specified"
                                                : "WITHIN GROUP specified";
      return text_.fail(ec::invalid_argument, at,
                        what + ", but " + name + " is not an aggregate function",
                        nearest_hint(name, aggregate_names()));
    }
  if (flag(body, "func_variadic"))
    return text_.fail(ec::unsupported, at, "VARIADIC arguments are not supported");
  for (const auto& node : nodes)
    if (open(node).is("NamedArgExpr"))
      return text_.fail(ec::unsupported, at, "named arguments are not supported",
                        "give the arguments by position");
  EBB_ASSIGN(auto args, bind_all(nodes));
  return function(name, std::move(args), at);
}

result<expr_ptr> expr_binder::bind_subscript(const ast& body) {
  const auto& arg = child(body, "arg");
  EBB_ASSIGN(auto x, bind_value(arg));
  for (const auto& step : list(body, "indirection")) {
    const auto node = open(step);
    if (!node.is("A_Indices"))
      return text_.fail(ec::invalid_argument, start_of(arg),
                        "column notation .field applied to type " + to_string(bare(x->type))
                            + ", which is not a composite type");
    if (x->type.kind != type_kind::array)
      return text_.fail(ec::invalid_argument, start_of(arg),
                        "cannot subscript type " + to_string(bare(x->type))
                            + " because it does not support subscripting");
    const bool slice = flag(*node.body, "is_slice");
    std::vector<expr_ptr> args{x};
    for (const char* bound : {"lidx", "uidx"}) {
      if (!slice && !has(*node.body, bound))
        continue;
      if (!has(*node.body, bound))
        return text_.fail(ec::unsupported, start_of(arg),
                          "array slices without both bounds are not supported",
                          "write both bounds: [1:2]");
      const auto& subscript = child(*node.body, bound);
      EBB_ASSIGN(auto index, bind(subscript));
      constexpr sql_type integer{type_kind::integer};
      if (!can_coerce(index->type, integer, cast_context::assignment))
        return text_.fail(ec::invalid_argument, start_of(subscript),
                          "array subscript must have type integer");
      EBB_ASSIGN(index,
                 coerce(text_, index, integer, cast_context::assignment, start_of(subscript)));
      args.push_back(std::move(index));
    }
    EBB_ASSIGN(x, function(slice ? "array_slice" : "subscript", std::move(args), start_of(arg)));
  }
  return x;
}

} // namespace ebb::sql
