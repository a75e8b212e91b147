/// One SELECT: bound clause by clause, then planned from FROM to the output columns.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/staged_rows.hpp"

namespace ebb::sql {

class select_query final : public bound_query {
public:
  select_query(query_planner& planner, const ast& body) : planner_(planner), body_(body) {}

  [[nodiscard]] result<void> bind();

  [[nodiscard]] const std::vector<query_output>& outputs() const override {
    return outputs_;
  }

  [[nodiscard]] result<node_id> emit(const std::vector<sql_type>& wanted) override;

private:
  [[nodiscard]] result<void> check_clauses() const;
  result<void> bind_where();
  result<void> bind_targets();
  result<void> expand_star(const std::vector<std::string>& path, std::int32_t at);
  result<void> bind_groups();
  result<expr_ptr> bind_group(const ast& node);
  result<void> bind_having();

  [[nodiscard]] bool grouped() const noexcept {
    return !groups_.empty() || !aggregates_.empty() || having_ != nullptr || by_group_clause_;
  }

  result<void> settle_targets(const std::vector<sql_type>& wanted);
  /// FROM and WHERE as rows, with `proctime()` where it is used.
  result<staged_rows> plan_rows();
  /// Expressions over FROM rewritten for the rows; fails for columns that are not grouped.
  result<expr_ptr> placed(const staged_rows& rows, const expr_ptr& x) const;
  result<staged_rows> over_rows(staged_rows rows);
  result<node_id> distinct(node_id node) const;

  query_planner& planner_;
  const ast& body_;
  from_clause from_;
  std::vector<expr_ptr> where_;
  std::vector<query_output> outputs_;
  std::vector<expr_ptr> targets_; ///< one an output
  std::vector<aggregate_use> aggregates_;
  std::vector<over_use> overs_;
  std::vector<expr_ptr> groups_;
  bool by_group_clause_ = false;
  bool distinct_ = false;
  expr_ptr having_;
  std::unordered_map<const expr*, std::int32_t> places_;
};

} // namespace ebb::sql
