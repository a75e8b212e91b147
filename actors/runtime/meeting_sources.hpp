/// Which sources of a stream wait for each other downstream.
#pragma once

#include "actors/plan/stage_plan.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// A source step of a plan and the step that gives its rows a watermark.
struct timed_source {
  std::uint32_t stage = 0;
  std::uint32_t step = 0;
  std::uint32_t time_step = 0;
};

/// Groups of sources with event time whose rows meet in operators that keep rows until the
/// watermark passes. Only groups of more than one subtask: one alone waits for nobody.
[[nodiscard]] std::vector<std::vector<timed_source>> meeting_sources(const stage_plan& plan);

} // namespace ebb
