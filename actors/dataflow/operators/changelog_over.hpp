/// Window functions in any order and over any rows, revised as rows come and go
/// (operator_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <vector>

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator> make_changelog_over(const changelog_over_spec& spec,
                                                                   operator_context context);

/// The input's columns, then one for each call.
[[nodiscard]] std::vector<sql_type>
output_types_of(const changelog_over_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
