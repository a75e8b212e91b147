/// GROUP BY without a window (operator_spec.hpp): results that are revised with each batch.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator>
make_group_aggregate(const group_aggregate_spec& spec, operator_context context);
[[nodiscard]] std::vector<sql_type>
output_types_of(const group_aggregate_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
