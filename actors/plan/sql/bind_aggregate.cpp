// Aggregate calls: arguments, DISTINCT, FILTER and ORDER BY.

#include "actors/dataflow/ordered_set.hpp"
#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/overload.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

bool same_or_null(const expr_ptr& a, const expr_ptr& b) {
  return a == nullptr || b == nullptr ? a == b : same_expr(*a, *b);
}

bool same_items(const std::vector<sort_item>& a, const std::vector<sort_item>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.descending == y.descending && x.nulls_first == y.nulls_first && same_expr(*x.x, *y.x);
  });
}

bool same_use(const aggregate_use& a, const aggregate_use& b) {
  return a.function == b.function && a.distinct == b.distinct && same_or_null(a.filter, b.filter)
         && same_items(a.order, b.order)
         && std::equal(a.args.begin(), a.args.end(), b.args.begin(), b.args.end(),
                       [](const auto& x, const auto& y) { return same_expr(*x, *y); });
}

/// The arguments; of WITHIN GROUP also what is ordered by, which the function takes as the last.
std::vector<const ast*> argument_nodes(const ast& body) {
  std::vector<const ast*> nodes;
  for (const auto& node : list(body, "args"))
    nodes.push_back(&node);
  if (flag(body, "agg_within_group"))
    for (const auto& key : list(body, "agg_order"))
      nodes.push_back(&child(*open(key).body, "node"));
  return nodes;
}

/// What an aggregate can be called with, as part of a hint.
std::string accepted(const std::string& name) {
  std::string text;
  for (const auto& overload : find_aggregates(name)) {
    auto params = call_text("", overload.params);
    if (overload.params.size() == 1)
      params = params.substr(1, params.size() - 2);
    if (text.empty() || !text.ends_with(params))
      text += (text.empty() ? "" : ", ") + params;
  }
  return name + " takes " + text;
}

/// A constant percentile that is out of range is refused before the first row.
result<void> check_share(const sql_text& text, const expr& x, std::int32_t at) {
  if (x.kind != expr_kind::literal || x.type.kind != type_kind::double_precision
      || x.value.is_null(0))
    return {};
  if (auto good = check_percentile(x.value.data<double>()[0]); !good)
    return text.fail(ec::invalid_argument, at, good.error().message, good.error().hint);
  return {};
}

/// A call as a person writes it.
std::string written_call(const aggregate_use& use, const ast& body) {
  const bool within_group = is_ordered_set(*use.function);
  auto text = use.function->name + '(';
  if (flag(body, "agg_star") && !within_group)
    text += '*';
  const auto direct = use.args.size() - (within_group ? 1 : 0);
  for (std::size_t i = 0; i < direct; ++i)
    text += (i > 0 ? ", " : "") + shown(*use.args[i]);
  text += ')';
  if (within_group)
    text += " WITHIN GROUP (ORDER BY " + shown(*use.args.back())
            + (use.order.front().descending ? " DESC)" : ")");
  return text;
}

} // namespace

result<aggregate_use> expr_binder::aggregate_call_of(const std::string& name, const ast& body,
                                                     expr_binder& inner) {
  const auto at = place_of(body);
  aggregate_use use;
  use.at = at;
  use.distinct = flag(body, "agg_distinct");
  if (flag(body, "func_variadic"))
    return text_.fail(ec::unsupported, at, "VARIADIC arguments are not supported");
  const bool within_group = flag(body, "agg_within_group");
  const auto nodes = argument_nodes(body);
  std::vector<std::int32_t> places;
  for (const auto* node : nodes) {
    EBB_ASSIGN(auto arg, inner.bind(*node));
    use.args.push_back(std::move(arg));
    places.push_back(start_of(*node));
  }
  const bool star = flag(body, "agg_star");
  if (nodes.empty() && !star)
    return text_.fail(ec::invalid_argument, at,
                      name == "count" ? "count(*) must be used to call a parameterless aggregate "
                                        "function"
                                      : "function " + name + "() does not exist");
  std::vector<signature> candidates;
  std::vector<const aggregate_function*> functions;
  for (const auto& overload : find_aggregates(name))
    if (auto params = expand(overload.params, false, use.args.size())) {
      candidates.push_back(std::move(*params));
      functions.push_back(&overload);
    }
  std::vector<sql_type> types;
  for (const auto& arg : use.args)
    types.push_back(bare(arg->type));
  const auto choice = choose_overload(candidates, types, false);
  if (choice.outcome != overload_outcome::found)
    return text_.fail(
        ec::invalid_argument, at,
        "function " + call_text(name, types)
            + (choice.outcome == overload_outcome::none ? " does not exist" : " is not unique"),
        accepted(name) + "; you might need to add explicit type casts");
  use.function = functions[choice.index];
  const bool ordered_set = is_ordered_set(*use.function);
  if (ordered_set != within_group)
    return text_.fail(ec::invalid_argument, at,
                      ordered_set ? "WITHIN GROUP is required for ordered-set aggregate " + name
                                  : name
                                        + " is not an ordered-set aggregate, so it cannot have "
                                          "WITHIN GROUP",
                      ordered_set ? "write " + name + "(…) WITHIN GROUP (ORDER BY …)"
                                  : "write ORDER BY among the arguments");
  std::vector<sql_type> arg_types;
  for (std::size_t i = 0; i < use.args.size(); ++i) {
    const auto& param = use.function->params[i];
    const bool any = param.kind == type_kind::unknown
                     || (param.kind == type_kind::array && param.element == type_kind::unknown);
    if (any) {
      if (ordered_set && use.args[i]->type.kind == type_kind::unknown)
        return text_.fail(ec::invalid_argument, places[i],
                          "could not determine polymorphic type because input has type unknown",
                          "cast it");
      EBB_ASSIGN(use.args[i], settle(text_, use.args[i], places[i]));
    } else {
      EBB_ASSIGN(use.args[i], coerce(text_, use.args[i], param, cast_context::implicit, places[i]));
      use.args[i] = folded(use.args[i]);
    }
    arg_types.push_back(use.args[i]->type);
  }
  use.type = use.function->result_type(arg_types);
  if (use.type.kind == type_kind::array && use.type.element == type_kind::array)
    return text_.fail(ec::invalid_argument, at,
                      "could not find array type for data type "
                          + to_string(bare(arg_types.back())));
  if (has(body, "agg_filter")) {
    EBB_ASSIGN(use.filter, inner.bind_condition(child(body, "agg_filter"), "FILTER"));
  }
  if (ordered_set) {
    if (use.args.size() > 1)
      EBB_TRY(check_share(text_, *use.args[0], places[0]));
    EBB_ASSIGN(auto item, inner.bind_sort(list(body, "agg_order").front()));
    item.x = use.args.back(); // of the type that the function takes
    use.order.push_back(std::move(item));
    return use;
  }
  for (const auto& key : list(body, "agg_order")) {
    EBB_ASSIGN(auto item, inner.bind_sort(key));
    const bool argument = std::any_of(use.args.begin(), use.args.end(),
                                      [&](const auto& arg) { return same_expr(*arg, *item.x); });
    if (use.distinct && !argument)
      return text_.fail(ec::invalid_argument, start_of(child(*open(key).body, "node")),
                        "in an aggregate with DISTINCT, ORDER BY expressions must appear in "
                        "argument list");
    use.order.push_back(std::move(item));
  }
  if (use.function->order_free)
    use.order.clear(); // the order does not show in the result
  return use;
}

result<expr_ptr> expr_binder::bind_aggregate(const std::string& name, const ast& body) {
  const auto at = place_of(body);
  if (context_.aggregates == nullptr)
    return text_.fail(ec::invalid_argument, at, context_.no_aggregates);
  bind_context context;
  context.columns = context_.columns;
  context.places = nullptr;
  context.no_aggregates = "aggregate function calls cannot be nested";
  context.no_overs = "aggregate function calls cannot contain window function calls";
  expr_binder inner{text_, std::move(context)};
  inner.depth_ = depth_;
  EBB_ASSIGN(auto use, aggregate_call_of(name, body, inner));
  auto& uses = *context_.aggregates;
  const auto known = std::find_if(uses.begin(), uses.end(),
                                  [&](const auto& other) { return same_use(other, use); });
  const auto index = static_cast<std::uint32_t>(known - uses.begin());
  const auto type = use.type;
  if (known == uses.end())
    uses.push_back(std::move(use));
  return make_column_ref(aggregate_base + index, type, written_call(uses[index], body));
}

} // namespace ebb::sql
