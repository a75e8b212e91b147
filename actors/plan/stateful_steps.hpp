/// The operators of a plan that keep state, and the names under which it is kept.
#pragma once

#include "actors/plan/stage_plan.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

struct stateful_step {
  std::uint32_t stage = 0;
  std::uint32_t step = 0;
  /// `hourly/window aggregate/0`: the manifest's operator, what it is, and which of several. The
  /// same at every parallelism and after a change elsewhere in the manifest: numbers go by the plan's
  /// nodes, whose order no parallelism changes.
  std::string identity;
};

/// In the order of the plan.
[[nodiscard]] std::vector<stateful_step> stateful_steps(const stage_plan& plan);

} // namespace ebb
