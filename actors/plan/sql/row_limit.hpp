/// ORDER BY, LIMIT and OFFSET of a query: which of its rows are kept. Internal to the SQL front
/// end.
#pragma once

#include "actors/plan/sql/query_planner.hpp"

#include <limits>

namespace ebb::sql {

/// Rows with offset < rank ≤ last in the order.
struct row_limit {
  std::vector<sort_key> order; ///< over the query's columns
  std::int64_t offset = 0;
  std::int64_t last = std::numeric_limits<std::int64_t>::max();
  bool ties = false;  ///< WITH TIES
  bool given = false; ///< there is a LIMIT or OFFSET
  std::int32_t at = -1;
};

/// LIMIT and OFFSET of a SELECT or set operation. Refuses locks, and ORDER BY without a limit
/// unless `order_is_used`.
[[nodiscard]] result<row_limit> bind_limit(const sql_text& text, const ast& select,
                                           bool order_is_used);

/// ORDER BY of a set operation: names and positions of its outputs.
[[nodiscard]] result<std::vector<sort_key>>
bind_output_order(const sql_text& text, const ast& select,
                  const std::vector<query_output>& outputs);

/// The first rows of each partition.
[[nodiscard]] node_id keep_first(query_planner& planner, node_id rows,
                                 std::vector<std::uint32_t> partition, const row_limit& limit);

/// What a top-N that no window bounds keeps, as a warning of the query.
void warn_top_n(query_planner& planner, std::int32_t at, const char* what,
                const std::vector<std::string>& partition, bool updating);

} // namespace ebb::sql
