/// What a stream has done so far, for people and `--stats`.
#pragma once

#include "actors/dataflow/event_timer.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct source_report {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bad_rows = 0;
  /// The partition that holds its watermark back the most; nothing: not known, or none does.
  std::optional<watermark_holder> held = std::nullopt;
};

/// All steps and subtasks of one operator of the manifest.
struct operator_report {
  std::string name;
  std::uint64_t rows_in = 0;  ///< from other operators and sources
  std::uint64_t rows_out = 0; ///< of its last step
  std::uint64_t late_rows = 0;
  std::uint64_t state_bytes = 0;
};

struct sink_report {
  std::string name;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0; ///< only `discard` with `hash`
};

/// How a stream's checkpoints went so far.
struct checkpoint_report {
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  micros longest = 0;     ///< from the request to the commit
  std::uint64_t last = 0; ///< epoch
  std::string alarm;      ///< what keeps the current one; empty = nothing
};

struct stream_report {
  std::string name;
  std::vector<source_report> sources;
  std::vector<operator_report> operators;
  std::vector<sink_report> sinks;
  std::optional<checkpoint_report> checkpoints;
  micros watermark = min_time; ///< the lowest that has arrived at a sink; max_time = all input seen
  micros next_time = max_time; ///< processing time at which it has something to do without input
  bool advances = false;       ///< the watermark goes with processing time where no rows come
  bool finished = false;       ///< the input has ended and everything is written
  bool interrupted = false;    ///< stopped before the end of the input
  double seconds = 0;          ///< since the start
  std::uint64_t batches = 0;   ///< that subtasks have passed to each other
  micros blocked = 0;          ///< that they waited for credit or slow sinks, all together
  micros first_in = 0;         ///< when a source had read the first row; 0 = not yet
  micros first_out = 0;        ///< when a sink had taken the first row; 0 = not yet
};

/// `partition 3 of source clicks, which has had no rows (…)`: what holds the watermark back. Empty:
/// nothing does.
[[nodiscard]] std::string held_back_by(const stream_report& x);

/// Another number after rows have moved or the watermark has, except where time alone moves it.
[[nodiscard]] std::uint64_t activity_of(const stream_report& x);

struct run_progress {
  std::vector<stream_report> streams;
  double seconds = 0;
};

} // namespace ebb
