/// The process's threads for blocking work.
#pragma once

#include "actors/runtime/connector.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

namespace ebb {

/// Jobs of one lane run in order, one at a time; lanes share the threads, one job at a turn. The
/// destructor runs what was submitted, then joins. A job must not throw.
class io_pool final : public io_executor {
public:
  /// Threads are started with the first jobs, so that a process without I/O has none.
  explicit io_pool(std::uint32_t threads_max = 4);
  ~io_pool() override;
  io_pool(const io_pool&) = delete;
  io_pool& operator=(const io_pool&) = delete;

  std::uint64_t open_lane() override;
  void submit(std::uint64_t lane, std::function<void()> job) override;

private:
  struct lane {
    std::deque<std::function<void()>> jobs;
    bool running = false; ///< a thread runs a job of it, or it waits in `ready_`
  };

  void work();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_map<std::uint64_t, lane> lanes_; ///< those with jobs
  std::deque<std::uint64_t> ready_;               ///< lanes that a thread may take
  std::uint64_t next_lane_ = 0;
  std::uint32_t threads_max_;
  std::uint32_t resting_ = 0; ///< threads that wait for a lane
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

/// Runs each job at once in the caller; for tests.
class inline_executor final : public io_executor {
public:
  std::uint64_t open_lane() override {
    return next_lane_++;
  }

  void submit(std::uint64_t, std::function<void()> job) override {
    job();
  }

private:
  std::uint64_t next_lane_ = 0;
};

} // namespace ebb
