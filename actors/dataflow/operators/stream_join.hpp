/// Inner join of two append-only inputs without time bounds.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

/// Both sides are kept for ever; a row is joined with the other side's rows as it comes. Rows with
/// a NULL key match nothing and are not kept. The watermark is the merged one: joined rows may
/// carry older times, so the planner allows no windows over time columns behind this join.
[[nodiscard]] std::unique_ptr<stream_operator> make_stream_join(const stream_join_spec& spec,
                                                                operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const stream_join_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
