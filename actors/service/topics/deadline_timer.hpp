/// Calls functions at given times, on one thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace ebb {

/// Thread-safe. The thread starts with the first call and sleeps while nothing is due.
class deadline_timer {
public:
  using clock = std::chrono::steady_clock;
  using ticket = std::pair<clock::time_point, std::uint64_t>;

  deadline_timer() = default;

  /// As stop().
  ~deadline_timer();
  deadline_timer(const deadline_timer&) = delete;
  deadline_timer& operator=(const deadline_timer&) = delete;

  /// `call` must not block: it should only hand work on.
  ticket at(clock::time_point when, std::function<void()> call);

  /// Forgets the call; one that runs right now goes on.
  void cancel(const ticket& which);

  /// Waits for the call that runs now; the others are forgotten, also those that come later.
  void stop();

private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<ticket, std::function<void()>> calls_;
  std::uint64_t next_ = 1;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace ebb
