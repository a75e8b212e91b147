/// Plans FROM trees. Internal to the SQL front end.
#pragma once

#include "actors/plan/sql/staged_rows.hpp"

namespace ebb::sql {

struct window_bounds {
  time_role start, end;
};

/// Roles of the window_start and window_end that a window function appends.
[[nodiscard]] window_bounds window_roles(const window_request& request);

/// An expression over the FROM row as one over the columns from `first` on.
[[nodiscard]] expr_ptr localized(const expr_ptr& x, std::uint32_t first);

class from_planner {
public:
  /// `read`: as in plan_from.
  explicit from_planner(query_planner& planner, const std::vector<std::uint32_t>* read = nullptr)
      : planner_(planner), read_(read) {}

  /// The columns of `item` as rows. Filters are over the FROM row and read nothing else.
  [[nodiscard]] result<node_id> plan(from_item& item, std::vector<expr_ptr> filters);

  /// A leaf without its window function.
  [[nodiscard]] result<node_id> base(const from_item& leaf, std::vector<expr_ptr> filters);

  /// Merged window columns of full joins, over the FROM row.
  [[nodiscard]] std::vector<timed_expr> take_times() {
    return std::move(times_);
  }

private:
  result<node_id> assigned(const from_item& leaf, std::vector<expr_ptr> filters);
  result<node_id> expanded(from_item& item, std::vector<expr_ptr> filters);
  node_id limit_ranks(const from_item& leaf, std::vector<expr_ptr>& filters);
  [[nodiscard]] bool drop_ranks(const from_item& leaf, const std::vector<std::uint32_t>& ranks,
                                std::int64_t limit, std::vector<expr_ptr>& filters) const;
  /// In plan_join.cpp.
  result<node_id> plan_join(from_item& join, std::vector<expr_ptr> filters);

  query_planner& planner_;
  const std::vector<std::uint32_t>* read_;
  std::vector<timed_expr> times_;
};

} // namespace ebb::sql
