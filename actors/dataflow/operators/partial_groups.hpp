/// GROUP BY before an exchange (group_phase::partial).
#pragma once

#include "actors/dataflow/operator_spec.hpp"

namespace ebb {

/// The rows of a batch become one partial result a group. Keeps nothing between batches. Where
/// batches have about as many groups as rows, looking for them would cost more than it saves: then
/// each row goes on as a partial result of its own, and a batch is tried now and then.
[[nodiscard]] std::unique_ptr<stream_operator> make_partial_groups(const group_aggregate_spec& spec,
                                                                   operator_context context);

} // namespace ebb
