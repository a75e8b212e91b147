/// What a stream's lifecycle is told of its runs.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <cstdint>

namespace ebb {

/// What a worker says of a placement: at least every few seconds, at once when `busy` ends.
struct run_status {
  std::uint64_t generation = 0;
  bool busy = false;          ///< rows are under way, or output is not applied yet
  bool progressed = false;    ///< this run has completed a checkpoint
  std::uint64_t activity = 0; ///< changes whenever the stream has done something
  micros next_timer = max_time;
  micros mapped =
      0; ///< when its state was in place, its first row was read, and so on; 0 = not yet
  micros first_record = 0;
  micros first_output = 0;
};

/// How a run ended.
struct run_end {
  enum class kind : std::uint8_t {
    cut,      ///< final checkpoint made, its output applied, as `stop` asks
    finished, ///< the input has ended, all output is in
    failed,
  };
  kind what = kind::cut;
  micros next_timer = max_time; ///< cut: processing time at which it wants to be woken
  error problem;                ///< failed
};

enum class comparison : std::uint8_t { nothing, more, unknown };

} // namespace ebb
