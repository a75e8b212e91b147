/// Window functions: OVER (PARTITION BY … ORDER BY event time).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

/// Rows are held until the watermark has passed their time, then emitted in time order with the
/// results appended. Rows behind their effective watermark are dropped and counted as late; rows
/// with a NULL time come at the end of the input. State lies in the key group of the partition.
[[nodiscard]] std::unique_ptr<stream_operator> make_over(const over_spec& spec,
                                                         operator_context context);

/// The input's columns, then one for each call.
[[nodiscard]] std::vector<sql_type>
output_types_of(const over_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
