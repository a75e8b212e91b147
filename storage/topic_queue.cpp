#include "storage/topic_queue.hpp"

#include <algorithm>

namespace ebb {

result<topic_queue::ticket> topic_queue::offer(topic_append request) {
  const auto bytes = byte_size(request);
  const bool full = waiting_.size() >= limits_.waiting_requests
                    || (!waiting_.empty() && waiting_bytes_ + bytes > limits_.waiting_bytes);
  if (full)
    return make_error(ec::resource, "too many requests wait to be appended to the topic",
                      "send it again a little later");
  waiting_bytes_ += bytes;
  waiting_.push_back({next_, bytes, std::move(request)});
  return next_++;
}

// How many of those that wait make a full group; 0 = they do not fill one.
std::size_t topic_queue::group_size() const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    bytes += waiting_[i].bytes;
    if (bytes > limits_.group_bytes)
      return std::max<std::size_t>(1, i);
    if (i + 1 == limits_.group_requests)
      return i + 1;
  }
  return 0;
}

std::vector<topic_append> topic_queue::take() {
  EBB_ASSERT(!under_way());
  const auto full = group_size();
  const auto count = full != 0 ? full : waiting_.size();
  std::vector<topic_append> group;
  group.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    auto& x = waiting_.front();
    tickets_.push_back(x.number);
    waiting_bytes_ -= x.bytes;
    group.push_back(std::move(x.request));
    waiting_.pop_front();
  }
  return group;
}

std::vector<std::pair<topic_queue::ticket, append_answer>>
topic_queue::finish(std::vector<append_answer> answers) {
  EBB_ASSERT(answers.size() == tickets_.size());
  std::vector<std::pair<ticket, append_answer>> to;
  to.reserve(answers.size());
  for (std::size_t i = 0; i < answers.size(); ++i)
    to.emplace_back(tickets_[i], std::move(answers[i]));
  tickets_.clear();
  return to;
}

} // namespace ebb
