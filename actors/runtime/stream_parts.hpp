/// How the subtasks of a stream are shared among the processes that run it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace ebb {

/// The part, of `parts`, that subtask `index` of `parallelism` belongs to. Neighbours stay
/// together, and subtask i of two stages of the same parallelism does, so that what is forwarded
/// never leaves the process. A stage with fewer subtasks uses the first parts.
[[nodiscard]] constexpr std::uint32_t part_of(std::uint32_t index, std::uint32_t parallelism,
                                              std::uint32_t parts) noexcept {
  return static_cast<std::uint32_t>(std::uint64_t{index} * std::min(parts, parallelism)
                                    / parallelism);
}

} // namespace ebb
