/// Conditions on now(): rows come and go as time passes.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_live_rows(const live_rows_spec& spec,
                                                              operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const live_rows_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
