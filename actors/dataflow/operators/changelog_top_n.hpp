/// The first rows of each partition, revised as rows come and go (operator_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

[[nodiscard]] std::unique_ptr<stream_operator>
make_changelog_top_n(const changelog_top_n_spec& spec, operator_context context);
[[nodiscard]] std::vector<sql_type>
output_types_of(const changelog_top_n_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
