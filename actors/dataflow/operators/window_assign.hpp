/// tumble(), hop(), cumulate() as table functions: appends window_start and window_end to each row,
/// one row a window that it lies in.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// Rows without a time (NULL, infinite) lie in no window and are dropped and counted as late. Rows
/// behind the watermark get all their windows: whether these have fired is for those to say that
/// fire them.
[[nodiscard]] std::unique_ptr<stream_operator> make_window_assign(const window_assign_spec& spec,
                                                                  operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const window_assign_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
