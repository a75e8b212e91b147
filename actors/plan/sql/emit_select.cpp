// A bound SELECT as nodes: FROM and WHERE, GROUP BY and HAVING, OVER, the output columns, DISTINCT.

#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

bool reads_proctime(const expr& x) {
  const auto columns = columns_of(x);
  return std::find(columns.begin(), columns.end(), proctime_index) != columns.end();
}

} // namespace

result<void> select_query::settle_targets(const std::vector<sql_type>& wanted) {
  for (std::size_t i = 0; i < targets_.size(); ++i)
    if (targets_[i]->type.kind == type_kind::unknown) {
      EBB_ASSIGN(targets_[i], coerce(planner_.query, targets_[i], wanted.at(i),
                                     cast_context::implicit, outputs_[i].at));
    }
  return {};
}

result<expr_ptr> select_query::placed(const staged_rows& rows, const expr_ptr& x) const {
  const expr* lost = nullptr;
  auto made = rewrite(x, [&](const expr_ptr& part) -> expr_ptr {
    if (auto value = rows.place(part))
      return value;
    if (part->kind == expr_kind::column && lost == nullptr)
      lost = part.get();
    return nullptr;
  });
  if (lost == nullptr)
    return made;
  const auto place = places_.find(lost);
  const auto at = place == places_.end() ? -1 : place->second;
  if (lost->index == proctime_index)
    return planner_.query.fail(ec::unsupported, at,
                               "proctime() is not supported in a query with GROUP BY",
                               "use it as the time of a window function");
  return planner_.query.fail(
      ec::invalid_argument, at,
      "column \"" + lost->text
          + "\" must appear in the GROUP BY clause or be used in an aggregate "
            "function");
}

result<staged_rows> select_query::plan_rows() {
  EBB_ASSIGN(auto rows, plan_filtered());
  if (std::none_of(targets_.begin(), targets_.end(),
                   [](const auto& x) { return reads_proctime(*x); }))
    return rows;
  if (planner_.build.node(rows.node).updating)
    return planner_.query.fail(ec::unsupported, -1,
                               "proctime() over rows that update is not supported: a row that goes "
                               "would not be the one that came");
  auto columns = planner_.build.columns(rows.node);
  const auto stamp = static_cast<std::uint32_t>(columns.size());
  const sql_type timestamp{type_kind::timestamp};
  columns.push_back({"proctime", timestamp, true, column_role::plain, {}, 0});
  rows.node =
      planner_.build.add("processing time", operator_spec{stamp_time_spec{}}, {rows.node},
                         std::move(columns), "append-only: every row with the time it came");
  rows.place = [stamp, timestamp](const expr_ptr& x) -> expr_ptr {
    if (x->kind != expr_kind::column || x->index > proctime_index)
      return nullptr;
    return x->index == proctime_index ? make_column_ref(stamp, timestamp, "proctime()") : x;
  };
  return rows;
}

result<node_id> select_query::emit(const std::vector<sql_type>& wanted) {
  EBB_TRY(settle_targets(wanted));
  grouping groups;
  groups.at = by_group_clause_      ? start_of(list(body_, "groupClause").front())
              : having_             ? start_of(child(body_, "havingClause"))
              : aggregates_.empty() ? -1
                                    : aggregates_.front().at;
  bool distinct_left = distinct_;
  if (distinct_ && !grouped() && overs_.empty()) {
    // The same rows as GROUP BY all outputs.
    for (const auto& target : targets_)
      if (std::none_of(groups_.begin(), groups_.end(),
                       [&](const auto& other) { return same_expr(*other, *target); }))
        groups_.push_back(target);
    groups.clause = "SELECT DISTINCT";
    groups.at = outputs_.front().at;
    distinct_left = false;
  }
  groups.keys = groups_;
  groups.aggregates = aggregates_;
  staged_rows rows;
  if (grouped()) {
    const bool joins = std::any_of(where_.begin(), where_.end(), [](const auto& x) {
      return reads_between(*x, subquery_base, over_base);
    });
    if (joins || !now_.empty()) {
      EBB_ASSIGN(const auto filtered, plan_filtered());
      EBB_ASSIGN(rows, plan_attached_aggregate(planner_, filtered, groups));
    } else {
      EBB_ASSIGN(rows, plan_aggregate(planner_, *from_.root, where_, groups));
    }
  } else {
    EBB_ASSIGN(rows, plan_rows());
  }
  auto read = targets_;
  read.push_back(having_);
  for (const auto& use : overs_) {
    read.insert(read.end(), use.call.args.begin(), use.call.args.end());
    read.insert(read.end(), use.partition.begin(), use.partition.end());
    for (const auto& item : use.order)
      read.push_back(item.x);
  }
  EBB_ASSIGN(rows, with_subqueries(std::move(rows), read));
  expr_ptr having;
  if (having_) {
    EBB_ASSIGN(having, placed(rows, having_));
  }
  if (!overs_.empty()) {
    if (having)
      rows.node = planner_.build.filter(rows.node, {std::move(having)});
    having = nullptr;
    EBB_ASSIGN(rows, over_rows(std::move(rows)));
  }
  std::vector<output_column> outputs;
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    EBB_ASSIGN(auto x, placed(rows, targets_[i]));
    std::optional<time_role> role;
    if (const auto known = role_of(planner_.build, rows, *x); known.role != column_role::plain)
      role = known;
    auto name = i < outputs_.size() ? outputs_[i].name : "order" + std::to_string(i + 1);
    outputs.push_back({std::move(name), std::move(x), role});
  }
  auto node = planner_.build.project(rows.node, std::move(having), std::move(outputs));
  if (distinct_left) {
    EBB_ASSIGN(node, plan_distinct(planner_, node, outputs_.front().at));
  }
  return limited(node);
}

node_id select_query::limited(node_id node) {
  // In a subquery of another query each of its keys has first rows of its own.
  std::vector<std::uint32_t> keys;
  for (std::uint32_t i = 0; i < inner_keys_.size(); ++i)
    keys.push_back(first_key_ + i);
  if (!distinct_on_.empty()) {
    row_limit first;
    first.order = limit_.order;
    first.last = 1;
    first.at = limit_.at;
    auto partition = distinct_on_;
    partition.insert(partition.end(), keys.begin(), keys.end());
    node = keep_first(planner_, node, std::move(partition), first);
  }
  if (limit_.given)
    node = keep_first(planner_, node, keys, limit_);
  if (targets_.size() == outputs_.size() + kept_targets_)
    return node;
  const auto all = planner_.build.pass(node);
  std::vector<output_column> outputs(all.begin(),
                                     all.begin() + static_cast<std::ptrdiff_t>(outputs_.size()));
  outputs.insert(outputs.end(), all.end() - kept_targets_, all.end());
  return planner_.build.project(node, nullptr, std::move(outputs));
}

result<staged_rows> select_query::over_rows(staged_rows rows) {
  auto overs = overs_;
  const auto place = [&](expr_ptr& x) -> result<void> {
    EBB_ASSIGN(x, placed(rows, x));
    return {};
  };
  for (auto& use : overs) {
    for (auto& arg : use.call.args)
      EBB_TRY(place(arg));
    if (use.call.filter)
      EBB_TRY(place(use.call.filter));
    for (auto& x : use.partition)
      EBB_TRY(place(x));
    for (auto& item : use.order)
      EBB_TRY(place(item.x));
  }
  auto before = rows.place;
  std::vector<std::uint32_t> results;
  EBB_ASSIGN(auto made, plan_overs(planner_, std::move(rows), overs, results));
  made.place = [before = std::move(before),
                results = std::move(results)](const expr_ptr& x) -> expr_ptr {
    if (x->kind == expr_kind::column && x->index >= over_base)
      return make_column_ref(results[x->index - over_base], x->type, x->text);
    return before(x);
  };
  return made;
}

} // namespace ebb::sql
