/// The changes of each key in order (settle_spec in changelog_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// State 0: the key's canonical bytes; its rows (settled_rows.hpp).
[[nodiscard]] std::unique_ptr<stream_operator> make_settle(const settle_spec& spec,
                                                           operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const settle_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
