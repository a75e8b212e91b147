/// `stateRetention` of an operator: which of its steps drop what is not written for long, and by
/// which time. Pure.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/plan/plan_graph.hpp"

#include <cstddef>
#include <string>

namespace ebb {

/// Sets the retention of the operator's nodes, from `first` on, and settles the warnings that its
/// query gave, from `first_warning` on: those of state that is dropped now go, others name
/// `stateRetention`.
void apply_retention(const operator_definition& where, node_id first, std::size_t first_warning,
                     plan_graph& graph);

/// `kept for ever`, or for how long.
[[nodiscard]] std::string kept_text(const retention_spec& retention);

} // namespace ebb
