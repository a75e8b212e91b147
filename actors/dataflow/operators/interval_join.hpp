/// Join of rows whose event times lie within an interval of each other.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

/// A row is joined with the other side's rows as it comes. With W the merged watermark, a left row
/// of time t can still be matched while W <= t - lower, a right row while W <= t + upper; then an
/// unmatched row of an outer side is padded, and the rows go away.
///
/// Rows behind their effective watermark are late: partners of theirs may be gone. They are dropped
/// and counted. Rows with a NULL key or time match nothing.
///
/// The watermark that goes on is W - max(0, -lower, upper): rows to come may carry left times down
/// to W + lower and right times down to W - upper, and both columns may serve as event time. State
/// lies in the key group of the join keys.
[[nodiscard]] std::unique_ptr<stream_operator> make_interval_join(const interval_join_spec& spec,
                                                                  operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const interval_join_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
