#include "actors/gateway/reply_channel.hpp"

#include <utility>

namespace ebb {

reply_channel::reply_channel(std::shared_ptr<loop_door> door, std::function<void()> wake,
                             std::size_t buffer_max)
    : door_(std::move(door)), wake_(std::move(wake)), buffer_max_(buffer_max) {}

// Gives the lock back: the server's thread may run at once.
void reply_channel::wake(std::unique_lock<std::mutex>& guard) {
  if (woken_ || closed_)
    return;
  woken_ = true;
  auto call = wake_;
  guard.unlock();
  door_->post(std::move(call));
}

std::function<void()> reply_channel::ready_call() {
  if (!closed_ && unsent_ > buffer_max_ / 2)
    return {};
  full_ = false;
  return std::exchange(on_ready_, {});
}

void reply_channel::answer(http_response what, bool begins) {
  std::unique_lock guard(mutex_);
  if (answered_ || closed_)
    return;
  answered_ = true;
  begins_ = begins;
  answer_ = std::move(what);
  wake(guard);
}

http_stream::taken reply_channel::write(std::string bytes) {
  std::unique_lock guard(mutex_);
  if (closed_ || ended_ || cut_)
    return http_stream::taken::closed;
  if (bytes.empty())
    return http_stream::taken::all;
  if (unsent_ != 0 && unsent_ + bytes.size() > buffer_max_) {
    full_ = true;
    return http_stream::taken::full;
  }
  unsent_ += bytes.size();
  if (pending_.empty())
    pending_ = std::move(bytes);
  else
    pending_ += bytes;
  wake(guard);
  return http_stream::taken::all;
}

void reply_channel::on_ready(std::function<void()> call) {
  std::unique_lock guard(mutex_);
  if (full_ && !closed_) {
    on_ready_ = std::move(call);
    return;
  }
  guard.unlock();
  door_->post(std::move(call));
}

void reply_channel::end() {
  std::unique_lock guard(mutex_);
  if (ended_ || cut_)
    return;
  ended_ = true;
  wake(guard);
}

void reply_channel::on_closed(std::function<void()> call) {
  std::unique_lock guard(mutex_);
  if (!closed_) {
    on_closed_ = std::move(call);
    return;
  }
  guard.unlock();
  door_->post(std::move(call));
}

bool reply_channel::closed() const noexcept {
  std::lock_guard guard(mutex_);
  return closed_;
}

void reply_channel::abandon() {
  std::unique_lock guard(mutex_);
  if (closed_ || ended_ || (answered_ && !begins_))
    return;
  if (answered_) {
    cut_ = true;
  } else {
    answered_ = true;
    answer_ = response_of(make_problem(500, "internal", "the request was not answered"));
  }
  wake(guard);
}

reply_channel::news reply_channel::take() {
  std::lock_guard guard(mutex_);
  woken_ = false;
  news out;
  out.answer = std::exchange(answer_, std::nullopt);
  out.begins = begins_;
  out.bytes = std::exchange(pending_, {});
  out.ended = ended_;
  out.cut = cut_;
  return out;
}

void reply_channel::hold() {
  std::lock_guard guard(mutex_);
  woken_ = true;
}

void reply_channel::sent(std::size_t bytes) {
  std::unique_lock guard(mutex_);
  unsent_ -= bytes;
  const auto call = ready_call();
  guard.unlock();
  if (call)
    call();
}

void reply_channel::close() {
  std::unique_lock guard(mutex_);
  if (std::exchange(closed_, true))
    return;
  pending_.clear();
  const auto ready = ready_call();
  const auto closed = std::exchange(on_closed_, {});
  guard.unlock();
  if (closed)
    closed();
  if (ready)
    ready();
}

void reply_channel::finish() {
  std::unique_lock guard(mutex_);
  closed_ = true;
  // They may hold what ends with them.
  const auto ready = std::exchange(on_ready_, {});
  const auto closed = std::exchange(on_closed_, {});
  guard.unlock();
}

} // namespace ebb
