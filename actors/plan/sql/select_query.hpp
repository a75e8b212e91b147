/// One SELECT: bound clause by clause, then planned from FROM to the output columns.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/row_limit.hpp"
#include "actors/plan/sql/staged_rows.hpp"
#include "actors/plan/sql/subquery.hpp"
#include "actors/plan/sql/time_condition.hpp"

namespace ebb::sql {

class select_query final : public bound_query, private subquery_binder {
public:
  /// `outer`: as in query_planner::bind; outlives the query.
  select_query(query_planner& planner, const ast& body, outer_row* outer)
      : planner_(planner), body_(body), outer_(outer) {}

  [[nodiscard]] result<void> bind();

  [[nodiscard]] const std::vector<query_output>& outputs() const override {
    return outputs_;
  }

  [[nodiscard]] result<node_id> emit(const std::vector<sql_type>& wanted) override;

  [[nodiscard]] result<subquery_rows> emit_rows(const std::vector<sql_type>& wanted) override;

private:
  [[nodiscard]] result<void> check_clauses() const;
  result<void> bind_where();
  result<void> bind_targets();
  result<void> expand_star(const std::vector<std::string>& path, std::int32_t at);
  result<void> expand_target(const ast& call, std::string name);
  result<void> bind_groups();
  result<expr_ptr> bind_group(const ast& node);
  result<void> bind_having();
  result<void> bind_order();
  result<void> bind_distinct_on(const ast::array_t& on);
  /// Index of the output column, or of one that is added behind them.
  result<std::size_t> bind_sort_target(const ast& node, const char* clause);
  [[nodiscard]] bind_context output_context();
  /// Direct arguments of WITHIN GROUP may read what is grouped by alone.
  [[nodiscard]] result<void> check_direct_arguments() const;

  [[nodiscard]] bool grouped() const noexcept {
    return !groups_.empty() || !aggregates_.empty() || having_ != nullptr || by_group_clause_;
  }

  // bind_subquery.cpp
  result<expr_ptr> bind_subquery(const ast& sublink, expr_binder& operands) override;
  result<void> correlate(const expr_ptr& condition);
  [[nodiscard]] result<void> check_outer() const;
  [[nodiscard]] result<std::vector<expr_ptr>> values_of_no_rows() const;

  // plan_where.cpp
  /// FROM and WHERE as rows.
  result<staged_rows> plan_filtered();
  /// The rows while the conditions on now() hold.
  result<staged_rows> while_alive(staged_rows rows);
  /// Columns of the FROM row that something reads besides limits of ranks in WHERE.
  [[nodiscard]] std::vector<std::uint32_t> columns_read() const;
  /// Joins the rows with the subqueries that `exprs` name.
  result<staged_rows> with_subqueries(staged_rows rows, const std::vector<expr_ptr>& exprs);

  result<void> settle_targets(const std::vector<sql_type>& wanted);
  /// FROM and WHERE as rows, with `proctime()` where it is used.
  result<staged_rows> plan_rows();
  /// Expressions over FROM rewritten for the rows; fails for columns that are not grouped.
  result<expr_ptr> placed(const staged_rows& rows, const expr_ptr& x) const;
  result<staged_rows> over_rows(staged_rows rows);
  /// DISTINCT ON, ORDER BY with LIMIT; then drops the columns that only they need.
  [[nodiscard]] node_id limited(node_id node);

  query_planner& planner_;
  const ast& body_;
  from_clause from_;
  std::vector<expr_ptr> where_;
  std::vector<time_condition> now_; ///< conditions of WHERE on now()
  std::vector<query_output> outputs_;
  std::vector<expr_ptr> targets_; ///< one an output, then those that only ORDER BY needs
  std::vector<aggregate_use> aggregates_;
  std::vector<over_use> overs_;
  std::vector<expr_ptr> groups_;
  bool by_group_clause_ = false;
  bool distinct_ = false;
  std::int32_t expanded_at_ = -1; ///< place of a function of several rows among the outputs
  std::vector<std::uint32_t> distinct_on_; ///< targets
  row_limit limit_;                        ///< its order is over the targets
  expr_ptr having_;
  std::unordered_map<const expr*, std::int32_t> places_;
  std::vector<subquery_use> subqueries_;
  // Of a subquery itself:
  outer_row* outer_;
  std::vector<expr_ptr> inner_keys_; ///< over the FROM row; targets from first_key_ on
  std::vector<expr_ptr> outer_keys_; ///< what they are equal to, in outer_base columns
  std::uint32_t first_key_ = 0;
  expr_ptr outer_residual_;        ///< over the FROM row and outer_base columns
  std::uint32_t kept_targets_ = 0; ///< last targets that are put out behind the outputs
};

/// True where `x` reads a column in [first, last).
[[nodiscard]] bool reads_between(const expr& x, std::uint32_t first, std::uint32_t last);

} // namespace ebb::sql
