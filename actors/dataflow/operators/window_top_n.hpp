/// The first rows of each partition of a window.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

/// Keeps, per window and partition, the rows that can still be among the first; emits them in rank
/// order when the watermark reaches window_end. Rows of windows that have fired are dropped and
/// counted as late. Equal rows rank in the order of their arrival (ROW_NUMBER). State lies in the
/// key group of the partition columns, or of window_end where there are none.
[[nodiscard]] std::unique_ptr<stream_operator> make_window_top_n(const window_top_n_spec& spec,
                                                                 operator_context context);

/// The input's columns, then the rank where it is asked for.
[[nodiscard]] std::vector<sql_type>
output_types_of(const window_top_n_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
