/// UNION, INTERSECT and EXCEPT.
#pragma once

#include "actors/plan/sql/query_planner.hpp"

namespace ebb::sql {

/// Binds the body of a SelectStmt whose `op` is a set operation.
[[nodiscard]] result<std::unique_ptr<bound_query>> bind_union(query_planner& planner,
                                                              const ast& select);

} // namespace ebb::sql
