// FROM and WHERE of a SELECT as rows, with the subqueries that its conditions name.

#include "actors/plan/changelog.hpp"
#include "actors/plan/sql/join_side.hpp"
#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

// A subquery as a condition of its own: its index, and whether NOT stands before it.
std::optional<std::pair<std::uint32_t, bool>> whole_subquery(const expr& x) {
  if (x.kind == expr_kind::not_) {
    const auto inner = whole_subquery(*x.args[0]);
    return inner ? std::optional{std::pair{inner->first, !inner->second}} : std::nullopt;
  }
  if (x.kind != expr_kind::column || x.index < subquery_base || x.index >= over_base)
    return std::nullopt;
  return std::pair{x.index - subquery_base, false};
}

void collect_conditions(const from_item& item, std::vector<std::uint32_t>& columns) {
  if (item.is_leaf())
    return;
  for (const auto& x : item.on)
    collect_columns(*x, columns);
  collect_conditions(*item.left, columns);
  if (item.expansion) {
    for (const auto& x : item.expansion->spec.args)
      collect_columns(*x, columns);
    return;
  }
  collect_conditions(*item.right, columns);
}

} // namespace

std::vector<std::uint32_t> select_query::columns_read() const {
  std::vector<std::uint32_t> columns;
  const auto take = [&](const expr_ptr& x) {
    if (x)
      collect_columns(*x, columns);
  };
  const auto take_call = [&](const aggregate_use& use) {
    std::for_each(use.args.begin(), use.args.end(), take);
    take(use.filter);
    for (const auto& item : use.order)
      take(item.x);
  };
  collect_conditions(*from_.root, columns);
  for (const auto& x : where_)
    if (!is_rank_limit(*x))
      take(x);
  std::for_each(targets_.begin(), targets_.end(), take);
  std::for_each(groups_.begin(), groups_.end(), take);
  std::for_each(aggregates_.begin(), aggregates_.end(), take_call);
  take(having_);
  take(outer_residual_);
  for (const auto& condition : now_)
    take(condition.time);
  for (const auto& use : overs_) {
    take_call(use.call);
    std::for_each(use.partition.begin(), use.partition.end(), take);
    for (const auto& item : use.order)
      take(item.x);
  }
  for (const auto& use : subqueries_) {
    std::for_each(use.outer.begin(), use.outer.end(), take);
    std::for_each(use.operands.begin(), use.operands.end(), take);
  }
  return columns;
}

result<staged_rows> select_query::plan_filtered() {
  std::vector<expr_ptr> plain;
  std::vector<expr_ptr> with_values;
  std::vector<std::pair<std::uint32_t, bool>> whole;
  for (const auto& condition : where_) {
    const auto alone = whole_subquery(*condition);
    if (alone && subqueries_[alone->first].kind != subquery_kind::scalar)
      whole.push_back(*alone);
    else
      (reads_between(*condition, subquery_base, over_base) ? with_values : plain)
          .push_back(condition);
  }
  const auto read = columns_read();
  EBB_ASSIGN(auto rows, plan_from(planner_, *from_.root, std::move(plain), &read));
  for (const auto& [index, negated] : whole) {
    subquery_planner joins{planner_, [&](const expr_ptr& x) { return placed(rows, x); }};
    EBB_ASSIGN(rows.node, joins.keep(rows.node, subqueries_[index], negated));
    rows.times.clear();
  }
  if (with_values.empty())
    return while_alive(std::move(rows));
  EBB_ASSIGN(rows, with_subqueries(std::move(rows), with_values));
  for (auto& condition : with_values) {
    EBB_ASSIGN(condition, placed(rows, condition));
  }
  rows.node = planner_.build.filter(rows.node, std::move(with_values));
  return while_alive(std::move(rows));
}

// Changes of one row meet in one subtask: by the rows' key where they update and have one, else by
// the times that they live by.
result<staged_rows> select_query::while_alive(staged_rows rows) {
  if (now_.empty())
    return rows;
  auto& build = planner_.build;
  join_side timed{build, rows.node};
  live_rows_spec spec;
  for (const auto& condition : now_) {
    EBB_ASSIGN(const auto time, placed(rows, condition.time));
    const life_bound bound{timed.column(time), condition.shift};
    (condition.until ? spec.until : spec.from).push_back(bound);
    if (std::find(spec.keys.begin(), spec.keys.end(), bound.column) == spec.keys.end())
      spec.keys.push_back(bound.column);
  }
  const auto node = timed.finish();
  spec.updating = build.node(node).updating;
  if (const auto key = ordered_key(build.node(node).keys); spec.updating && key && !key->empty())
    spec.keys = *key;
  auto columns = build.columns(node);
  // A row that shows later than it came is behind the watermark.
  for (auto& column : columns) {
    column.role = column_role::plain;
    column.window = {};
    column.lag = 0;
  }
  const char* why = spec.until.empty()
                        ? "append-only: a row shows from the time on that it speaks of"
                        : "updating: a row goes when time has passed it";
  rows.node = build.add("while alive", operator_spec{std::move(spec)}, {node}, std::move(columns),
                        why);
  rows.times.clear();
  return rows;
}

result<staged_rows> select_query::with_subqueries(staged_rows rows,
                                                  const std::vector<expr_ptr>& exprs) {
  std::vector<std::uint32_t> used;
  for (const auto& x : exprs)
    if (x)
      for (const auto column : columns_of(*x))
        if (column >= subquery_base && column < over_base
            && std::find(used.begin(), used.end(), column) == used.end())
          used.push_back(column);
  if (used.empty())
    return rows;
  std::vector<std::pair<std::uint32_t, expr_ptr>> values;
  for (const auto column : used) {
    subquery_planner joins{planner_, [&](const expr_ptr& x) { return placed(rows, x); }};
    EBB_ASSIGN(auto value, joins.attach(rows.node, subqueries_[column - subquery_base]));
    values.emplace_back(column, std::move(value));
    rows.times.clear();
  }
  rows.place = [before = std::move(rows.place),
                values = std::move(values)](const expr_ptr& x) -> expr_ptr {
    if (x->kind == expr_kind::column)
      for (const auto& [column, value] : values)
        if (x->index == column)
          return value;
    return before(x);
  };
  return rows;
}

} // namespace ebb::sql
