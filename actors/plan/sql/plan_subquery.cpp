// Subqueries in expressions become joins: EXISTS and IN as conditions of their own semi or anti
// joins, all else an outer join that brings the value.

#include "actors/plan/sql/join_side.hpp"
#include "actors/plan/sql/select_query.hpp"

#include <algorithm>

namespace ebb::sql {

namespace {

constexpr sql_type boolean_type{type_kind::boolean};
constexpr sql_type bigint_type{type_kind::bigint};

bool is_null_literal(const expr& x) {
  return x.kind == expr_kind::literal && x.value.is_null(0);
}

expr_ptr zero() {
  auto value = make_column(bigint_type, 1);
  value.mutable_data<std::int64_t>()[0] = 0;
  return make_literal(std::move(value));
}

expr_ptr test(expr_kind kind, expr_ptr x) {
  return make_logic(kind, boolean_type, {std::move(x)});
}

} // namespace

expr_ptr subquery_planner::column(node_id node, std::uint32_t index) const {
  const auto& known = build_.columns(node)[index];
  return make_column_ref(index, known.type, known.name);
}

result<expr_ptr> subquery_planner::operation(const char* name, expr_ptr a, expr_ptr b) const {
  return expr_binder{planner_.query, {}}.operation(name, {std::move(a), std::move(b)}, -1);
}

result<std::vector<subquery_planner::key_pair>>
subquery_planner::keys_of(const subquery_use& use, bool with_operands) const {
  std::vector<key_pair> keys;
  const auto add = [&](expr_ptr left, std::uint32_t right) -> result<void> {
    key_pair made{std::move(left), column(use.rows.node, right)};
    const auto type = common_type(bare(made.left->type), bare(made.right->type));
    EBB_ASSERT(type.has_value()); // `=` compares them
    EBB_ASSIGN(made.left, coerce(planner_.query, made.left, *type, cast_context::implicit, use.at));
    EBB_ASSIGN(made.right,
               coerce(planner_.query, made.right, *type, cast_context::implicit, use.at));
    keys.push_back(std::move(made));
    return {};
  };
  if (with_operands)
    for (std::uint32_t i = 0; i < use.operands.size(); ++i) {
      EBB_ASSIGN(auto left, place_(use.operands[i]));
      EBB_TRY(add(std::move(left), i));
    }
  for (std::uint32_t i = 0; i < use.rows.outer_keys.size(); ++i) {
    const auto over_row = rewrite(use.rows.outer_keys[i], [&](const expr_ptr& x) -> expr_ptr {
      return x->kind == expr_kind::column ? use.outer[x->index - outer_base] : nullptr;
    });
    EBB_ASSIGN(auto left, place_(over_row));
    EBB_TRY(add(std::move(left), use.rows.outputs + i));
  }
  return keys;
}

// Over the row of `left` columns, then the subquery's.
result<expr_ptr> subquery_planner::residual_of(const subquery_use& use, std::uint32_t left) const {
  if (!use.rows.residual)
    return expr_ptr{};
  std::vector<expr_ptr> placed;
  for (const auto& x : use.outer) {
    EBB_ASSIGN(auto value, place_(x));
    placed.push_back(std::move(value));
  }
  return rewrite(use.rows.residual, [&](const expr_ptr& x) -> expr_ptr {
    if (x->kind != expr_kind::column)
      return nullptr;
    return x->index >= outer_base ? placed[x->index - outer_base]
                                  : make_column_ref(left + x->index, x->type, x->text);
  });
}

result<node_id> subquery_planner::join(changelog_join_kind kind, node_id left, node_id right,
                                       const std::vector<key_pair>& keys, const expr_ptr& residual,
                                       std::int32_t at) {
  join_side left_side(build_, left);
  join_side right_side(build_, right);
  changelog_join_spec spec;
  spec.kind = kind;
  spec.left_updating = left_side.updating();
  spec.right_updating = right_side.updating();
  for (const auto& key : keys) {
    spec.left_keys.push_back(left_side.column(key.left));
    spec.right_keys.push_back(right_side.column(key.right));
  }
  constexpr const char* way_out =
      "its state grows with them; join within a window or an interval of event time instead";
  if (!right_side.one_row() && keys.empty())
    build_.warn(planner_.query.fail(
        ec::resource, at,
        "this subquery has no equality with the rows around it: every row of both is kept for ever "
        "and compared with every row of the other, in one subtask",
        "compare columns of both by an equality as well, which spreads the rows over subtasks"));
  else if (!right_side.one_row())
    build_.warn_of_growth(planner_.query.fail(
        ec::resource, at, "this subquery keeps every row of both sides for ever", way_out));
  else if (!left_side.one_row())
    build_.warn(planner_.query.fail(
        ec::resource, at,
        "this subquery keeps every row of the query around it for ever, in one subtask: each is "
        "looked at anew when the subquery's one row changes",
        "its state grows with them; group both by a window and join them in FROM instead"));
  const auto left_width = left_side.width();
  const auto right_width = right_side.width();
  const auto left_node = left_side.finish();
  const auto right_node = right_side.finish();
  const auto all_left = build_.width(left_node);
  if (residual)
    spec.residual = rewrite(residual, [&](const expr_ptr& x) -> expr_ptr {
      if (x->kind != expr_kind::column || x->index < left_width)
        return nullptr;
      return make_column_ref(x->index - left_width + all_left, x->type, x->text);
    });
  auto columns = build_.columns(left_node);
  if (spec.both_sides())
    for (auto column : build_.columns(right_node)) {
      column.not_null = false;
      columns.push_back(std::move(column));
    }
  for (auto& column : columns) {
    column.role = column_role::plain;
    column.window = {};
    column.lag = 0;
  }
  const bool pairs = spec.both_sides();
  const char* why = kind == changelog_join_kind::semi
                        ? "append-only: a row is emitted once it has a match"
                    : kind == changelog_join_kind::anti
                        ? "updating: a row without a match may get one later"
                        : "updating: the value of a subquery changes with its rows";
  const char* label = kind == changelog_join_kind::semi   ? "semi join"
                      : kind == changelog_join_kind::anti ? "anti join"
                                                          : "subquery";
  const auto node = build_.add(label, operator_spec{std::move(spec)}, {left_node, right_node},
                               std::move(columns), why);
  const auto all = build_.pass(node);
  std::vector<output_column> outputs(all.begin(), all.begin() + left_width);
  for (std::uint32_t i = 0; pairs && i < right_width; ++i)
    outputs.push_back(all[all_left + i]);
  return outputs.size() == all.size() ? node : build_.project(node, nullptr, std::move(outputs));
}

result<node_id> subquery_planner::found(node_id rows, std::uint32_t first, std::uint32_t count,
                                        std::int32_t at) {
  const auto all = build_.pass(rows);
  std::vector<output_column> outputs(all.begin() + first, all.begin() + first + count);
  const auto keys = build_.project(rows, nullptr, std::move(outputs));
  EBB_ASSIGN(const auto distinct, plan_distinct(planner_, keys, at, "this subquery"));
  auto marked = build_.pass(distinct);
  marked.push_back({"found", make_bool_literal(true), {}});
  return build_.project(distinct, nullptr, std::move(marked));
}

result<node_id> subquery_planner::counts(const subquery_use& use) {
  const auto rows = use.rows.node;
  staged_rows staged;
  staged.node = rows;
  grouping groups;
  groups.at = use.at;
  for (std::uint32_t i = 0; i < use.rows.outer_keys.size(); ++i)
    groups.keys.push_back(column(rows, use.rows.outputs + i));
  groups.aggregates.push_back(count_rows(nullptr));
  std::vector<expr_ptr> nulls;
  for (std::uint32_t i = 0; i < use.rows.outputs; ++i)
    nulls.push_back(test(expr_kind::is_null, column(rows, i)));
  if (use.kind == subquery_kind::in)
    groups.aggregates.push_back(count_rows(combine(expr_kind::or_, std::move(nulls))));
  EBB_ASSIGN(const auto counted, plan_attached_aggregate(planner_, staged, groups));
  std::vector<output_column> outputs;
  for (const auto& key : groups.keys)
    outputs.push_back({"key", counted.place(key), {}});
  for (std::uint32_t i = 0; i < groups.aggregates.size(); ++i)
    outputs.push_back(
        {"count", counted.place(make_column_ref(aggregate_base + i, bigint_type)), {}});
  return build_.project(counted.node, nullptr, std::move(outputs));
}

result<bool> subquery_planner::may_be_null(node_id rows, const subquery_use& use) const {
  for (std::uint32_t i = 0; i < use.operands.size(); ++i) {
    EBB_ASSIGN(const auto x, place_(use.operands[i]));
    const bool sure = x->kind == expr_kind::column
                          ? build_.columns(rows)[x->index].not_null
                          : x->kind == expr_kind::literal && !x->value.is_null(0);
    if (!sure || !build_.columns(use.rows.node)[i].not_null)
      return true;
  }
  return false;
}

result<node_id> subquery_planner::keep(node_id rows, const subquery_use& use, bool negated) {
  const auto kind = negated ? changelog_join_kind::anti : changelog_join_kind::semi;
  if (use.kind == subquery_kind::exists && !use.rows.if_none.empty())
    return build_.filter(rows, {make_bool_literal(!negated)}); // there is always a row
  EBB_ASSIGN(const auto keys, keys_of(use, true));
  if (keys.empty() && !use.rows.residual) {
    EBB_ASSIGN(const auto counted, counts(use));
    EBB_ASSIGN(auto any, operation(">", column(counted, 0), zero()));
    return join(kind, rows, build_.filter(counted, {std::move(any)}), {}, nullptr, use.at);
  }
  if (use.kind == subquery_kind::exists || !negated) {
    EBB_ASSIGN(const auto residual, residual_of(use, build_.width(rows)));
    return join(kind, rows, use.rows.node, keys, residual, use.at);
  }
  // NOT IN is NULL, and no row passes, where a NULL is compared; over no rows it is true.
  EBB_ASSIGN(const auto nullable, may_be_null(rows, use));
  if (!nullable) {
    EBB_ASSIGN(const auto residual, residual_of(use, build_.width(rows)));
    return join(kind, rows, use.rows.node, keys, residual, use.at);
  }
  if (use.rows.residual)
    return planner_.query.fail(ec::unsupported, use.at,
                               "NOT IN over columns that may be NULL, in a subquery that meets the "
                               "query around it by something else than equality, is not supported",
                               "declare them NOT NULL, or use NOT EXISTS");
  auto copy = rows;
  const auto width = build_.width(rows);
  EBB_ASSIGN(const auto value, attach_in(copy, use));
  const auto passed = build_.filter(copy, {test(expr_kind::not_, value)});
  auto outputs = build_.pass(passed);
  outputs.resize(width);
  return build_.project(passed, nullptr, std::move(outputs));
}

result<expr_ptr> subquery_planner::attach(node_id& rows, const subquery_use& use) {
  if (use.rows.residual)
    return planner_.query.fail(ec::unsupported, use.at,
                               "a subquery that meets the query around it by something else than "
                               "equality is not supported as a value",
                               use.kind == subquery_kind::scalar
                                   ? "join with it in FROM and aggregate there"
                                   : "use it as a condition of its own: WHERE EXISTS (…) AND …");
  switch (use.kind) {
  case subquery_kind::scalar:
    return attach_scalar(rows, use);
  case subquery_kind::exists:
    return attach_exists(rows, use);
  case subquery_kind::in:
    break;
  }
  return attach_in(rows, use);
}

result<expr_ptr> subquery_planner::attach_scalar(node_id& rows, const subquery_use& use) {
  const auto& sub = use.rows;
  const auto& unique = build_.node(sub.node).keys;
  const auto is_key = [&](std::uint32_t column) {
    return column >= sub.outputs && column < sub.outputs + sub.outer_keys.size();
  };
  const auto is_met = [&](const row_key& key) {
    return std::all_of(key.columns.begin(), key.columns.end(), is_key);
  };
  if (std::none_of(unique.begin(), unique.end(), is_met))
    return planner_.query.fail(ec::unsupported, use.at,
                               "more than one row could be returned by a subquery used as an "
                               "expression",
                               "aggregate it (max, min, …), add LIMIT 1, or compare with a PRIMARY "
                               "KEY");
  const bool defaults = !sub.if_none.empty() && !is_null_literal(*sub.if_none.front());
  auto right = sub.node;
  if (defaults) {
    auto outputs = build_.pass(right);
    outputs.push_back({"found", make_bool_literal(true), {}});
    right = build_.project(right, nullptr, std::move(outputs));
  }
  EBB_ASSIGN(const auto keys, keys_of(use, false));
  const auto left_width = build_.width(rows);
  EBB_ASSIGN(rows, join(changelog_join_kind::left, rows, right, keys, nullptr, use.at));
  auto value = column(rows, left_width);
  if (!defaults)
    return value;
  const auto mark = column(rows, build_.width(rows) - 1);
  return make_logic(expr_kind::case_, value->type,
                    {test(expr_kind::is_null, mark), sub.if_none.front(), value});
}

result<expr_ptr> subquery_planner::attach_exists(node_id& rows, const subquery_use& use) {
  if (!use.rows.if_none.empty())
    return make_bool_literal(true);
  EBB_ASSIGN(const auto keys, keys_of(use, false));
  if (keys.empty()) {
    EBB_ASSIGN(const auto counted, counts(use));
    EBB_ASSIGN(rows, join(changelog_join_kind::left, rows, counted, {}, nullptr, use.at));
    const auto count = make_logic(expr_kind::coalesce, bigint_type,
                                  {column(rows, build_.width(rows) - 1), zero()});
    return operation(">", count, zero());
  }
  EBB_ASSIGN(const auto marks,
             found(use.rows.node, use.rows.outputs,
                   static_cast<std::uint32_t>(use.rows.outer_keys.size()), use.at));
  auto of_marks = use;
  of_marks.rows.node = marks;
  of_marks.rows.outputs = 0;
  EBB_ASSIGN(const auto mark_keys, keys_of(of_marks, false));
  EBB_ASSIGN(rows, join(changelog_join_kind::left, rows, marks, mark_keys, nullptr, use.at));
  return test(expr_kind::is_not_null, column(rows, build_.width(rows) - 1));
}

result<expr_ptr> subquery_planner::attach_in(node_id& rows, const subquery_use& use) {
  EBB_ASSIGN(const auto nullable, may_be_null(rows, use));
  if (nullable && use.operands.size() > 1)
    return planner_.query.fail(ec::unsupported, use.at,
                               "NOT IN, or IN as a value, with several columns that may be NULL is "
                               "not supported",
                               "declare them NOT NULL, or use NOT EXISTS with equalities");
  std::vector<expr_ptr> operands;
  for (const auto& x : use.operands) {
    EBB_ASSIGN(auto operand, place_(x));
    operands.push_back(std::move(operand));
  }
  const auto width = use.rows.outputs + static_cast<std::uint32_t>(use.rows.outer_keys.size());
  EBB_ASSIGN(const auto marks, found(use.rows.node, 0, width, use.at));
  auto of_marks = use;
  of_marks.rows.node = marks;
  EBB_ASSIGN(const auto keys, keys_of(of_marks, true));
  EBB_ASSIGN(rows, join(changelog_join_kind::left, rows, marks, keys, nullptr, use.at));
  const auto match = test(expr_kind::is_not_null, column(rows, build_.width(rows) - 1));
  if (!nullable)
    return match;
  EBB_ASSIGN(const auto counted, counts(use));
  auto of_counts = use;
  of_counts.rows.node = counted;
  of_counts.rows.outputs = 0;
  EBB_ASSIGN(const auto count_keys, keys_of(of_counts, false));
  EBB_ASSIGN(rows, join(changelog_join_kind::left, rows, counted, count_keys, nullptr, use.at));
  const auto count_at = [&](std::uint32_t from_end) {
    return make_logic(expr_kind::coalesce, bigint_type,
                      {column(rows, build_.width(rows) - from_end), zero()});
  };
  EBB_ASSIGN(auto any, operation(">", count_at(2), zero()));
  EBB_ASSIGN(auto nulls, operation(">", count_at(1), zero()));
  auto unknown = make_logic(
      expr_kind::and_, boolean_type,
      {std::move(any), make_logic(expr_kind::or_, boolean_type,
                                  {test(expr_kind::is_null, operands.front()), std::move(nulls)})});
  return make_logic(expr_kind::case_, boolean_type,
                    {match, make_bool_literal(true), std::move(unknown),
                     make_literal(make_null_column(boolean_type, 1)), make_bool_literal(false)});
}

} // namespace ebb::sql
