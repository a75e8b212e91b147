/// Join of the rows of equal windows.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

/// Rows wait in their window until the merged watermark reaches window_end; then the window is
/// joined step by step, dropped, and the watermark goes on. Windows fire in the order of their
/// ends. Rows of windows that have fired are dropped and counted as late. State lies in the key
/// group of the join keys, or of window_end where there are none.
[[nodiscard]] std::unique_ptr<stream_operator> make_window_join(const window_join_spec& spec,
                                                                operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const window_join_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
