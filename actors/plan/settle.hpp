/// Where the changes of a result's key are put in order before a sink reads them. Pure.
#pragma once

#include "actors/plan/plan_graph.hpp"

namespace ebb {

/// The node that a sink of changes reads in place of `id`: `id` itself, or an operator behind it,
/// which is added, where the key that a reader goes by has changes that come out of order.
[[nodiscard]] node_id settle(plan_graph& graph, node_id id);

} // namespace ebb
