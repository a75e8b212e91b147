// Subqueries of a SELECT's expressions, and what such a subquery says of the query around it.

#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr sql_type boolean_type{type_kind::boolean};

bool reads_outer(const expr& x) {
  return reads_between(x, outer_base, subquery_base);
}

// Reads columns of the query around it, and no others.
bool only_outer(const expr& x) {
  const auto columns = columns_of(x);
  return !columns.empty() && columns.front() >= outer_base && columns.back() < subquery_base;
}

bool only_inner(const expr& x) {
  const auto columns = columns_of(x);
  return !columns.empty() && columns.back() < proctime_index;
}

// The expressions before IN: one, or those of a row.
result<std::vector<expr_ptr>> operands_of(const ast& sublink, expr_binder& binder) {
  std::vector<expr_ptr> operands;
  const auto& test = child(sublink, "testexpr");
  const auto row = open(test);
  if (!row.is("RowExpr")) {
    EBB_ASSIGN(auto x, binder.bind(test));
    operands.push_back(std::move(x));
    return operands;
  }
  for (const auto& node : list(*row.body, "args")) {
    EBB_ASSIGN(auto x, binder.bind(node));
    operands.push_back(std::move(x));
  }
  return operands;
}

} // namespace

bool reads_between(const expr& x, std::uint32_t first, std::uint32_t last) {
  const auto columns = columns_of(x);
  return std::any_of(columns.begin(), columns.end(),
                     [&](auto column) { return column >= first && column < last; });
}

result<expr_ptr> select_query::bind_subquery(const ast& sublink, expr_binder& operands) {
  const auto& text = planner_.query;
  const auto at = place_of(sublink);
  const auto link = ebb::sql::text(sublink, "subLinkType");
  const auto refuse = [&](const char* what, const char* hint) {
    return text.fail(ec::unsupported, at, std::string(what) + " is not supported", hint);
  };
  const auto select = open(child(sublink, "subselect"));
  if (!select.is("SelectStmt"))
    return refuse("this subquery", "");
  if (link == "ARRAY_SUBLINK")
    return refuse("ARRAY (subquery)", "use array_agg in a scalar subquery");
  if (link != "EXISTS_SUBLINK" && link != "ANY_SUBLINK" && link != "ALL_SUBLINK"
      && link != "EXPR_SUBLINK")
    return refuse("this kind of subquery", "");
  const auto op = names(list(sublink, "operName"));
  const auto op_name = op.empty() ? std::string("=") : op.back();
  const bool all = link == "ALL_SUBLINK";
  if ((link == "ANY_SUBLINK" && op_name != "=") || (all && op_name != "<>"))
    return text.fail(ec::unsupported, at,
                     op_name + (all ? " ALL" : " ANY") + " (subquery) is not supported",
                     "compare with a scalar subquery: (SELECT max(…) FROM …) or (SELECT min(…) …)");
  outer_row row{&from_.names, {}, outer_};
  EBB_ASSIGN(const auto bound, planner_.bind(*select.body, &row));
  subquery_use use;
  use.at = at;
  auto type = boolean_type;
  std::vector<sql_type> wanted;
  for (const auto& output : bound->outputs())
    wanted.push_back(output.type.kind == type_kind::unknown ? sql_type{type_kind::text}
                                                            : output.type);
  if (link == "EXISTS_SUBLINK") {
    use.kind = subquery_kind::exists;
  } else if (link == "EXPR_SUBLINK") {
    if (wanted.size() != 1)
      return text.fail(ec::invalid_argument, at, "subquery must return only one column");
    type = wanted.front();
  } else {
    use.kind = subquery_kind::in;
    EBB_ASSIGN(use.operands, operands_of(sublink, operands));
    if (wanted.size() != use.operands.size())
      return text.fail(ec::invalid_argument, at,
                       wanted.size() > use.operands.size() ? "subquery has too many columns"
                                                           : "subquery has too few columns");
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      auto& operand = use.operands[i];
      if (bound->outputs()[i].type.kind == type_kind::unknown
          && operand->type.kind != type_kind::unknown)
        wanted[i] = operand->type;
      EBB_TRY(operands.operation("=", {operand, make_column_ref(0, wanted[i])}, at));
      if (operand->type.kind == type_kind::unknown) {
        EBB_ASSIGN(operand, coerce(text, operand, wanted[i], cast_context::implicit, at));
      }
    }
  }
  EBB_ASSIGN(use.rows, bound->emit_rows(wanted));
  use.outer = std::move(row.used);
  for (const auto& x : use.outer)
    if (reads_outer(*x))
      return text.fail(ec::unsupported, at,
                       "a subquery that names columns of a query two levels up is not supported");
  subqueries_.push_back(std::move(use));
  auto value = make_column_ref(subquery_base + static_cast<std::uint32_t>(subqueries_.size() - 1),
                               type, "(subquery)");
  return all ? make_logic(expr_kind::not_, boolean_type, {std::move(value)}) : value;
}

// Takes a condition that names columns of the query around.
result<void> select_query::correlate(const expr_ptr& condition) {
  if (reads_between(*condition, subquery_base, over_base))
    return planner_.query.fail(ec::unsupported, start_of(child(body_, "whereClause")),
                               "a subquery beside columns of the query around it is not supported",
                               "split the condition with AND");
  if (condition->kind == expr_kind::call && condition->args.size() == 2
      && condition->function->name == "=")
    for (const bool swapped : {false, true}) {
      const auto& inner = condition->args[swapped ? 1 : 0];
      const auto& around = condition->args[swapped ? 0 : 1];
      if (!only_inner(*inner) || !only_outer(*around))
        continue;
      inner_keys_.push_back(inner);
      outer_keys_.push_back(around);
      return {};
    }
  outer_residual_ = outer_residual_ == nullptr
                        ? condition
                        : combine(expr_kind::and_, {outer_residual_, condition});
  return {};
}

result<void> select_query::check_outer() const {
  const auto refuse = [&] {
    return planner_.query.fail(ec::unsupported, outputs_.empty() ? -1 : outputs_.front().at,
                               "a subquery may name columns of the query around it in its WHERE "
                               "alone");
  };
  for (const auto& x : targets_)
    if (reads_outer(*x))
      return refuse();
  for (const auto& use : overs_) {
    for (const auto& x : use.partition)
      if (reads_outer(*x))
        return refuse();
    for (const auto& item : use.order)
      if (reads_outer(*item.x))
        return refuse();
  }
  if (having_ && reads_outer(*having_))
    return refuse();
  return {};
}

// An aggregate without GROUP BY has a row for every key, those without rows included.
result<std::vector<expr_ptr>> select_query::values_of_no_rows() const {
  std::vector<expr_ptr> values;
  if (outer_keys_.empty() || !grouped() || by_group_clause_)
    return values;
  if (having_)
    return planner_.query.fail(ec::unsupported, start_of(child(body_, "havingClause")),
                               "HAVING without GROUP BY in a subquery that names columns of the "
                               "query around it is not supported");
  for (std::size_t i = 0; i < outputs_.size(); ++i)
    values.push_back(fold_constants(rewrite(targets_[i], [&](const expr_ptr& x) -> expr_ptr {
      if (x->kind != expr_kind::column || x->index < aggregate_base)
        return nullptr;
      const auto& use = aggregates_[x->index - aggregate_base];
      if (!is_count(use.function->name))
        return make_literal(make_null_column(x->type, 1));
      auto zero = make_column(sql_type{type_kind::bigint}, 1);
      zero.mutable_data<std::int64_t>()[0] = 0;
      return make_literal(std::move(zero));
    })));
  return values;
}

result<subquery_rows> select_query::emit_rows(const std::vector<sql_type>& wanted) {
  subquery_rows rows;
  rows.outputs = static_cast<std::uint32_t>(outputs_.size());
  EBB_ASSIGN(rows.if_none, values_of_no_rows());
  const auto before = targets_.size();
  const bool by_groups = grouped();
  for (const auto& key : inner_keys_) {
    EBB_ASSIGN(const auto value, settle(planner_.query, key, -1));
    targets_.push_back(value);
    if (by_groups && std::none_of(groups_.begin(), groups_.end(), [&](const auto& other) {
          return same_expr(*other, *value);
        }))
      groups_.push_back(value);
  }
  first_key_ = static_cast<std::uint32_t>(before);
  rows.outer_keys = outer_keys_;
  if (outer_residual_) {
    if (by_groups || limit_.given || !distinct_on_.empty())
      return planner_.query.fail(ec::unsupported, start_of(child(body_, "whereClause")),
                                 "a subquery that aggregates or limits its rows and meets the "
                                 "query around it by something else than equality is not "
                                 "supported",
                                 "compare with = alone, or join in FROM and aggregate there");
    std::vector<std::uint32_t> moved;
    rows.residual = rewrite(outer_residual_, [&](const expr_ptr& x) -> expr_ptr {
      if (x->kind != expr_kind::column || x->index >= outer_base)
        return nullptr;
      const auto known = std::find(moved.begin(), moved.end(), x->index);
      const auto at = static_cast<std::uint32_t>(known - moved.begin());
      if (known == moved.end()) {
        moved.push_back(x->index);
        targets_.push_back(x);
      }
      const auto first = rows.outputs + static_cast<std::uint32_t>(inner_keys_.size());
      return make_column_ref(first + at, x->type, x->text);
    });
  }
  kept_targets_ = static_cast<std::uint32_t>(targets_.size() - before);
  EBB_ASSIGN(rows.node, emit(wanted));
  return rows;
}

} // namespace ebb::sql
