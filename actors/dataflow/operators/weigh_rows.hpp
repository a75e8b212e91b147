/// Rows as often as a column says (changelog_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_weigh_rows(const weigh_rows_spec& spec,
                                                               operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const weigh_rows_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
