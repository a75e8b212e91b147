/// Where a subtask shows its counters while it runs.
#pragma once

#include "actors/dataflow/subtask.hpp"

#include <mutex>
#include <utility>
#include <vector>

namespace ebb {

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
  };

  void publish(std::vector<step_stats> steps, micros watermark, micros next_time,
               micros windows = max_time, micros advances_from = min_time) {
    std::lock_guard guard(mutex_);
    entry_.steps = std::move(steps);
    entry_.watermark = watermark;
    entry_.next_time = next_time;
    entry_.windows = windows;
    entry_.advances_from = advances_from;
  }

  [[nodiscard]] entry read() const {
    std::lock_guard guard(mutex_);
    return entry_;
  }

private:
  mutable std::mutex mutex_;
  entry entry_;
};

} // namespace ebb
