#include "actors/runtime/io_pool.hpp"

#include "schemas/assert.hpp"

#include <utility>

namespace ebb {

io_pool::io_pool(std::uint32_t threads_max) : threads_max_(threads_max) {
  EBB_ASSERT(threads_max > 0);
}

io_pool::~io_pool() {
  {
    std::lock_guard guard(mutex_);
    closing_ = true;
  }
  changed_.notify_all();
  // Nobody may submit any more but the jobs themselves, and those find running threads.
  for (auto& thread : threads_)
    thread.join();
}

std::uint64_t io_pool::open_lane() {
  std::lock_guard guard(mutex_);
  return next_lane_++;
}

void io_pool::submit(std::uint64_t number, std::function<void()> job) {
  {
    std::lock_guard guard(mutex_);
    auto& x = lanes_[number];
    x.jobs.push_back(std::move(job));
    if (x.running)
      return;
    x.running = true;
    ready_.push_back(number);
    if (!closing_ && ready_.size() > resting_ && threads_.size() < threads_max_)
      threads_.emplace_back([this] { work(); });
  }
  changed_.notify_one();
}

void io_pool::work() {
  std::unique_lock guard(mutex_);
  for (;;) {
    ++resting_;
    changed_.wait(guard, [this] { return !ready_.empty() || (closing_ && lanes_.empty()); });
    --resting_;
    if (ready_.empty())
      return;
    const auto number = ready_.front();
    ready_.pop_front();
    {
      auto job = std::move(lanes_[number].jobs.front());
      lanes_[number].jobs.pop_front();
      guard.unlock();
      job();
      // What the job holds goes before the lane is free again.
    }
    guard.lock();
    auto& x = lanes_[number];
    if (!x.jobs.empty()) {
      ready_.push_back(number);
      continue;
    }
    lanes_.erase(number);
    if (closing_ && lanes_.empty())
      changed_.notify_all();
  }
}

} // namespace ebb
