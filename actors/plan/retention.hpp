/// `stateRetention` of an operator: which of its steps drop what is not written for long, and by
/// which time. Pure.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/plan/plan_graph.hpp"

#include <string>

namespace ebb {

/// Sets the retention of the operator's nodes, from `first` on, and settles the graph's `growth`:
/// without one these warnings name `stateRetention`, with one nothing grows and they go.
void apply_retention(const operator_definition& where, node_id first, plan_graph& graph);

/// `kept for ever`, or for how long.
[[nodiscard]] std::string kept_text(const retention_spec& retention);

} // namespace ebb
