/// A join with a side that is loaded before the other one's rows are joined, and then stays.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// `spec.lookup` is a side.
[[nodiscard]] std::unique_ptr<stream_operator> make_lookup_join(const changelog_join_spec& spec,
                                                                operator_context context);

} // namespace ebb
