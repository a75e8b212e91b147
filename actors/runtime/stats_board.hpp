/// Where a subtask shows its counters while it runs.
#pragma once

#include "actors/dataflow/subtask.hpp"

#include <cstdint>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace ebb {

/// What the actor around a subtask counts. Processing time; 0 = not yet.
struct flow_counters {
  std::uint64_t batches = 0; ///< that came from other subtasks
  micros blocked = 0;   ///< how long it waited for credit or for what a sink has still to write
  micros first_in = 0;  ///< when a source of its had read its first row
  micros first_out = 0; ///< when a sink of its had taken its first row
};

/// Written by the subtask's actor now and then, read by anyone. Thread-safe.
class stats_board {
public:
  struct entry {
    std::vector<step_stats> steps; ///< empty before the first publication
    micros watermark = min_time;
    micros next_time = max_time; ///< processing time at which it has something to do
    // As of subtask_alarm.
    micros windows = max_time;
    micros advances_from = min_time;
    flow_counters flow = {};
  };

  void publish(entry x) {
    {
      std::lock_guard guard(mutex_);
      entry_ = std::move(x);
    }
    if (published)
      published(*this);
  }

  /// Called after each publication, by its thread. Set before the first one.
  std::function<void(const stats_board&)> published;

  [[nodiscard]] entry read() const {
    std::lock_guard guard(mutex_);
    return entry_;
  }

private:
  mutable std::mutex mutex_;
  entry entry_;
};

} // namespace ebb
