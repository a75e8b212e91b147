/// Expressions that one filter-and-project would compute several times, computed once.
#pragma once

#include "actors/plan/sql/node_builder.hpp"

namespace ebb::sql {

/// The spec as a chain: what the filter and others share, the filter, what outputs share, the
/// outputs. Each step computes what later ones share and passes on the columns that they read.
/// Nothing is computed for a row for which it was not computed before.
[[nodiscard]] std::vector<filter_project_spec> share_work(const filter_project_spec& spec);

} // namespace ebb::sql
