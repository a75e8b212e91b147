/// The clock of streams.
#pragma once

#include "actors/runtime/subtask_host.hpp"

namespace ebb {

/// Processing time: the wall clock now, then steady. Timers and checkpoints would wait for an hour
/// if the clock were set back by one.
[[nodiscard]] clock_function processing_time();

/// Microseconds since 1970, as the machine has them: may be set back.
[[nodiscard]] micros wall_clock();

} // namespace ebb
