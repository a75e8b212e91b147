/// UNION ALL: the rows of all inputs as they come; the watermark is the least of the active ones.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_union_all(const union_all_spec& spec,
                                                              operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const union_all_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
