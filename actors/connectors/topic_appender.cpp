#include "actors/connectors/topic_appender.hpp"

#include <utility>

namespace ebb {

result<void> topic_appender::append(topic_part part) {
  topic_append request;
  request.parts.push_back(std::move(part));
  const auto bytes = byte_size(request);
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    if (failure_)
      return *failure_;
    number = sent_++;
    answered_.push_back(false);
    bytes_ += bytes;
  }
  topics_.append(uid_, std::move(request), [self = shared_from_this(), number, bytes](auto answer) {
    self->take(std::move(answer), number, bytes);
  });
  return {};
}

void topic_appender::take(append_answer answer, std::uint64_t number, std::size_t bytes) {
  wake_function wake;
  {
    const std::lock_guard lock(mutex_);
    bytes_ -= bytes;
    answered_[number - (sent_ - answered_.size())] = true;
    while (!answered_.empty() && answered_.front())
      answered_.pop_front();
    const bool good =
        answer.status == append_status::appended || answer.status == append_status::duplicate;
    if (!good && !failure_) {
      failure_ = std::move(answer.problem);
      failure_->message = "topic " + name_ + ": " + failure_->message;
    }
    wake = wake_;
  }
  if (wake)
    wake();
}

std::uint64_t topic_appender::sent() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

result<bool> topic_appender::answered(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  if (failure_)
    return *failure_;
  return sent_ - answered_.size() >= count;
}

std::size_t topic_appender::backlog() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

void topic_appender::stop() {
  const std::lock_guard lock(mutex_);
  wake_ = nullptr;
}

} // namespace ebb
