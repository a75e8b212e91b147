/// Many small jobs on a few lanes of the I/O pool.
#pragma once

#include "actors/runtime/connector.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace ebb {

/// Jobs of a lane run in order. A lane that is at work takes what comes without another turn of
/// the pool, so that many small jobs cost one wake. Thread-safe; the caller bounds what waits.
class job_lanes {
public:
  job_lanes(io_executor& io, std::size_t count);

  void submit(std::size_t lane, std::function<void()> job);

  /// To a lane by turns.
  void submit_anywhere(std::function<void()> job) {
    submit(turn_.fetch_add(1, std::memory_order_relaxed) % lanes_.size(), std::move(job));
  }

private:
  struct lane {
    std::mutex mutex;
    std::deque<std::function<void()>> jobs;
    std::uint64_t number = 0;
    bool scheduled = false;
  };

  static void work(io_executor& io, const std::shared_ptr<lane>& on);

  io_executor& io_;
  std::vector<std::shared_ptr<lane>> lanes_; ///< jobs under way hold theirs
  std::atomic<std::size_t> turn_ = 0;
};

} // namespace ebb
