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
  };

  void publish(std::vector<step_stats> steps, micros watermark) {
    std::lock_guard guard(mutex_);
    entry_.steps = std::move(steps);
    entry_.watermark = watermark;
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
