/// proctime(): appends the processing time of the last tick to each row.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_stamp_time(const stamp_time_spec& spec,
                                                               operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const stamp_time_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
