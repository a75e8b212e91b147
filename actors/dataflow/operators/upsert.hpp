/// The last row of each key (changelog_spec.hpp).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// State 0: the key's canonical bytes; the row's values as value_builder.hpp has them.
[[nodiscard]] std::unique_ptr<stream_operator> make_upsert(const upsert_spec& spec,
                                                           operator_context context);

[[nodiscard]] std::vector<sql_type>
output_types_of(const upsert_spec& spec, const std::vector<std::vector<sql_type>>& inputs);

} // namespace ebb
