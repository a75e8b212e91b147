/// unnest() and generate_series() in FROM: a row for each element.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_expand_rows(const expand_rows_spec& spec,
                                                                operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const expand_rows_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
