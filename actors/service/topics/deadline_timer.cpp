#include "actors/service/topics/deadline_timer.hpp"

namespace ebb {

deadline_timer::~deadline_timer() {
  stop();
}

deadline_timer::ticket deadline_timer::at(clock::time_point when, std::function<void()> call) {
  bool first = false;
  ticket number;
  {
    std::lock_guard guard(mutex_);
    number = {when, next_++};
    if (stopped_)
      return number;
    if (!thread_.joinable())
      thread_ = std::thread([this] { run(); });
    const auto at = calls_.emplace(number, std::move(call)).first;
    first = at == calls_.begin();
  }
  if (first)
    changed_.notify_one();
  return number;
}

void deadline_timer::cancel(const ticket& which) {
  std::function<void()> gone; // destroyed without the lock: it may hold much
  std::lock_guard guard(mutex_);
  if (const auto at = calls_.find(which); at != calls_.end()) {
    gone = std::move(at->second);
    calls_.erase(at);
  }
}

void deadline_timer::stop() {
  std::map<ticket, std::function<void()>> gone;
  {
    std::lock_guard guard(mutex_);
    stopped_ = true;
    gone.swap(calls_);
  }
  changed_.notify_one();
  if (thread_.joinable())
    thread_.join();
}

void deadline_timer::run() {
  std::unique_lock guard(mutex_);
  while (!stopped_) {
    if (calls_.empty()) {
      changed_.wait(guard);
      continue;
    }
    const auto first = calls_.begin();
    if (const auto when = first->first.first; clock::now() < when) {
      changed_.wait_until(guard, when);
      continue;
    }
    {
      const auto call = std::move(first->second);
      calls_.erase(first);
      guard.unlock();
      call();
    }
    guard.lock();
  }
}

} // namespace ebb
