/// Ordered-set aggregates: `percentile_cont`, `percentile_disc`, `mode`, which are called with
/// WITHIN GROUP (ORDER BY …).
///
/// In a call of one, the last argument is the value that rows are ordered by; those before it are
/// direct: equal in all rows of a group. `order_by` is one key, the last argument's column. It
/// tells the direction alone: the accumulators keep values and how often each occurs, so rows need
/// no order, panes and partial results are merged and taken back, and deleted rows are accepted.
#pragma once

#include "actors/dataflow/aggregate.hpp"

namespace ebb {

[[nodiscard]] bool is_ordered_set(const aggregate_function& function) noexcept;

/// `percentile value 1.5 is not between 0 and 1`, for what percentile_cont and percentile_disc are
/// given.
[[nodiscard]] result<void> check_percentile(double share);

} // namespace ebb
