/// How changes come to those who keep the rows that they take back: sinks, and operators. The row
/// that a change deletes is made anew by the expressions on its way, so where these are others than
/// when the row went out, it takes back a row that was never there. Pure.
#pragma once

#include "actors/plan/pinned_plan.hpp"
#include "actors/plan/stage_plan.hpp"

#include <vector>

namespace ebb {

/// Of all takers of changes. Append-only rows have no paths, nor have those that are dropped
/// (`discard`). The same at every parallelism, and whatever else the manifest has.
[[nodiscard]] std::vector<change_path> change_paths(const stage_plan& plan,
                                                    const stream_definition& stream);

} // namespace ebb
