/// Subqueries in expressions: their rows, and how these meet the rows of the query around them.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/query_planner.hpp"
#include "actors/plan/sql/staged_rows.hpp"

#include <functional>

namespace ebb::sql {

enum class subquery_kind : std::uint8_t { scalar, exists, in };

/// A subquery in an expression; bound expressions name it by the column subquery_base + its index.
struct subquery_use {
  subquery_kind kind = subquery_kind::scalar;
  subquery_rows rows;
  std::vector<expr_ptr> outer;    ///< what columns from outer_base on stand for, over the outer row
  std::vector<expr_ptr> operands; ///< IN: over the outer row, of the outputs' types
  std::int32_t at = -1;
};

/// Joins rows with subqueries. `place` gives the value, over the rows, of an expression over the
/// outer row.
class subquery_planner {
public:
  using placer = std::function<result<expr_ptr>(const expr_ptr&)>;

  subquery_planner(query_planner& planner, placer place)
      : planner_(planner), build_(planner.build), place_(std::move(place)) {}

  /// Keeps the rows for which EXISTS or IN is true (false and not NULL where `negated`).
  [[nodiscard]] result<node_id> keep(node_id rows, const subquery_use& use, bool negated);

  /// Appends what the subquery's value needs; returns the value over the rows that come out.
  [[nodiscard]] result<expr_ptr> attach(node_id& rows, const subquery_use& use);

private:
  struct key_pair {
    expr_ptr left, right; ///< each over its own node
  };

  [[nodiscard]] result<std::vector<key_pair>> keys_of(const subquery_use& use,
                                                      bool with_operands) const;
  [[nodiscard]] result<node_id> join(changelog_join_kind kind, node_id left, node_id right,
                                     const std::vector<key_pair>& keys, const expr_ptr& residual,
                                     std::int32_t at);
  /// The node's distinct values of these columns, and true behind them.
  [[nodiscard]] result<node_id> found(node_id rows, std::uint32_t first, std::uint32_t count,
                                      std::int32_t at);
  /// How many rows there are for each key, and how many of them with a NULL output.
  [[nodiscard]] result<node_id> counts(const subquery_use& use);
  [[nodiscard]] result<expr_ptr> residual_of(const subquery_use& use, std::uint32_t left) const;
  [[nodiscard]] result<bool> may_be_null(node_id rows, const subquery_use& use) const;
  [[nodiscard]] result<expr_ptr> attach_scalar(node_id& rows, const subquery_use& use);
  [[nodiscard]] result<expr_ptr> attach_exists(node_id& rows, const subquery_use& use);
  [[nodiscard]] result<expr_ptr> attach_in(node_id& rows, const subquery_use& use);
  [[nodiscard]] result<expr_ptr> operation(const char* name, expr_ptr a, expr_ptr b) const;
  [[nodiscard]] expr_ptr column(node_id node, std::uint32_t index) const;

  query_planner& planner_;
  node_builder& build_;
  placer place_;
};

} // namespace ebb::sql
