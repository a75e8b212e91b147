/// Joins without bounds in time over inputs that may be revised (operator_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_changelog_join(const changelog_join_spec& spec,
                                                                   operator_context context);
[[nodiscard]] std::vector<sql_type>
output_types_of(const changelog_join_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
