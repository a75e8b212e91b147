/// Which sources of a stream wait for each other downstream.
#pragma once

#include "actors/dataflow/source_alignment.hpp"
#include "actors/plan/stage_plan.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// A source step of a plan and the step that gives its rows a watermark (itself, where none does).
struct timed_source {
  std::uint32_t stage = 0;
  std::uint32_t step = 0;
  std::uint32_t time_step = 0;
  source_role role = {};
};

/// Groups of sources that wait for one another: those with event time whose rows meet in operators
/// that keep rows until the watermark passes, and those that are looked up in a table or make one.
/// Only groups of more than one subtask: one alone waits for nobody.
[[nodiscard]] std::vector<std::vector<timed_source>> meeting_sources(const stage_plan& plan);

} // namespace ebb
