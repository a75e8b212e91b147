/// GROUP BY a window and keys, in one phase or two. See operator_spec.hpp for inputs and outputs.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// Rows without a time (NULL, infinite) lie in no window: they are dropped and counted as late.
/// Sessions have no two-phase form.
[[nodiscard]] std::unique_ptr<stream_operator>
make_window_aggregate(const window_aggregate_spec& spec, operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const window_aggregate_spec& spec,
                const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
