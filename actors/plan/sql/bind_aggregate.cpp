// Aggregate calls: arguments, DISTINCT, FILTER and ORDER BY.

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

} // namespace

result<aggregate_use> expr_binder::aggregate_call_of(const std::string& name, const ast& body,
                                                     expr_binder& inner) {
  const auto at = place_of(body);
  aggregate_use use;
  use.at = at;
  use.distinct = flag(body, "agg_distinct");
  if (flag(body, "func_variadic"))
    return text_.fail(ec::unsupported, at, "VARIADIC arguments are not supported");
  if (flag(body, "agg_within_group"))
    return text_.fail(ec::unsupported, at, name + " … WITHIN GROUP is not supported");
  const auto& nodes = list(body, "args");
  for (const auto& node : nodes) {
    EBB_ASSIGN(auto arg, inner.bind(node));
    use.args.push_back(std::move(arg));
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
        "you might need to add explicit type casts");
  use.function = functions[choice.index];
  std::vector<sql_type> arg_types;
  for (std::size_t i = 0; i < use.args.size(); ++i) {
    const auto& param = use.function->params[i];
    const bool any = param.kind == type_kind::unknown
                     || (param.kind == type_kind::array && param.element == type_kind::unknown);
    if (any) {
      EBB_ASSIGN(use.args[i], settle(text_, use.args[i], start_of(nodes[i])));
    } else {
      EBB_ASSIGN(use.args[i],
                 coerce(text_, use.args[i], param, cast_context::implicit, start_of(nodes[i])));
      use.args[i] = folded(use.args[i]);
    }
    arg_types.push_back(use.args[i]->type);
  }
  use.type = use.function->result_type(arg_types);
  if (has(body, "agg_filter")) {
    EBB_ASSIGN(use.filter, inner.bind_condition(child(body, "agg_filter"), "FILTER"));
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
  auto written = name + '(';
  const auto& args = uses[index].args;
  if (flag(body, "agg_star"))
    written += '*';
  for (std::size_t i = 0; i < args.size(); ++i)
    written += (i > 0 ? ", " : "") + shown(*args[i]);
  return make_column_ref(aggregate_base + index, type, written + ')');
}

} // namespace ebb::sql
