/// WHERE and SELECT: keeps rows and computes columns. Stateless.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_filter_project(const filter_project_spec& spec,
                                                                   operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const filter_project_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
