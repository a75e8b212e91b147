/// Rows between the steps of planning a SELECT.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/from_item.hpp"
#include "actors/plan/sql/query_planner.hpp"

#include <functional>

namespace ebb::sql {

/// An expression over rows that tells their time though it is not a plain column: the merged
/// window_end of a full join, or a window's bounds moved back by a shift.
struct timed_expr {
  expr_ptr x;
  time_role role;
};

/// A node, and where the parts of bound expressions lie in its rows.
struct staged_rows {
  node_id node = 0;
  std::vector<timed_expr> times;
  /// The value, over the node's columns, of an expression over FROM, an aggregate or an OVER call;
  /// null = not known as a whole: look at its arguments. A column that stays unknown is an error.
  std::function<expr_ptr(const expr_ptr&)> place;
};

/// The role of an expression over the node's columns.
[[nodiscard]] time_role role_of(const node_builder& build, const staged_rows& rows, const expr& x);

/// GROUP BY and aggregates of a SELECT; expressions are over the FROM row.
struct grouping {
  std::vector<expr_ptr> keys;
  std::vector<aggregate_use> aggregates;
  const char* clause = "GROUP BY"; ///< what the keys are those of
  std::int32_t at = -1;       ///< place for errors
};

/// The call over columns of `input`, with arguments that are evaluated only for rows that its FILTER
/// lets through, where they can fail. What they are called stays, and with it the shape of state.
[[nodiscard]] aggregate_use behind_filter(const node_builder& build, node_id input,
                                          aggregate_use use);

/// Columns that a step computes before its operator, each once.
class column_slots {
public:
  /// Column of `x` in the row that `build` gives.
  [[nodiscard]] std::uint32_t take(const expr_ptr& x);

  /// A node whose columns are the slots, in order, of the rows of `input` that pass the filters.
  [[nodiscard]] node_id build(node_builder& builder, node_id input,
                              std::vector<expr_ptr> filters) const;

  [[nodiscard]] sql_type type(std::uint32_t slot) const {
    return columns_[slot]->type;
  }

private:
  std::vector<expr_ptr> columns_;
};

/// FROM and WHERE as rows whose columns are the FROM row. Filters are over the FROM row. `read`:
/// columns that anything but filters which `is_rank_limit` reads; null = all.
[[nodiscard]] result<staged_rows> plan_from(query_planner& planner, from_item& root,
                                            std::vector<expr_ptr> filters,
                                            const std::vector<std::uint32_t>* read = nullptr);

/// `column <= constant` and the like.
[[nodiscard]] bool is_rank_limit(const expr& x);

/// FROM, WHERE and GROUP BY: one row a group and window.
[[nodiscard]] result<staged_rows> plan_aggregate(query_planner& planner, from_item& root,
                                                 std::vector<expr_ptr> filters,
                                                 const grouping& groups);

/// GROUP BY over rows that are planned already; keys and arguments are over the node's columns.
[[nodiscard]] result<staged_rows>
plan_attached_aggregate(query_planner& planner, const staged_rows& rows, const grouping& groups);

/// count(*), of the rows for which `filter` is true (null = all).
[[nodiscard]] aggregate_use count_rows(expr_ptr filter);

/// The node's rows without repetition. `clause`: what asks for it.
[[nodiscard]] result<node_id> plan_distinct(query_planner& planner, node_id node, std::int32_t at,
                                            const char* clause = "SELECT DISTINCT");

/// Appends the results of OVER calls; their expressions are over the node's columns.
/// `results[i]` is the column of overs[i].
[[nodiscard]] result<staged_rows> plan_overs(query_planner& planner, staged_rows rows,
                                             const std::vector<over_use>& overs,
                                             std::vector<std::uint32_t>& results);

/// The window by which rows are grouped, from the expressions of GROUP BY or PARTITION BY that tell
/// time. Columns are over the rows.
struct attached_window {
  std::size_t end = SIZE_MAX;   ///< index of the expression that is window_end; SIZE_MAX = none
  std::size_t start = SIZE_MAX; ///< index of the one that is window_start; SIZE_MAX = none
  window_spec window;
  expr_ptr end_value; ///< what the operator fires by: the window's end, shifted by `shift`
  micros shift = 0;   ///< end_value - end
};

/// Finds the window among `keys`; nullopt where none tells time. `what` for messages: `GROUP BY`.
[[nodiscard]] result<std::optional<attached_window>>
find_window(const query_planner& planner, const staged_rows& rows,
            const std::vector<expr_ptr>& keys, std::int32_t at, std::string_view what);

/// Roles of a row's columns once column `time` has the given lag: those of its window follow it,
/// the others no longer tell time.
void follow(std::vector<plan_column>& columns, std::size_t time, micros lag);

/// The window's alignment moved by `shift`.
[[nodiscard]] window_spec moved(window_spec window, micros shift);

} // namespace ebb::sql
