/// Requests that wait for their topic's log, and who wants their answers.
#pragma once

#include "storage/topic_queue.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

namespace ebb {

/// Not thread-safe.
class topic_gathering {
public:
  using clock = std::chrono::steady_clock;
  using answer_function = std::function<void(append_answer)>;

  struct sender {
    answer_function answer;
    clock::time_point since;
  };

  /// Answers, and one sender for each.
  struct delivery {
    std::vector<std::pair<topic_queue::ticket, append_answer>> answers;
    std::vector<sender> to;
  };

  explicit topic_gathering(const topic_queue_limits& limits) : queue_(limits) {}

  /// Takes both in; with the queue's error `answer` is left as it is.
  [[nodiscard]] result<void> offer(topic_append request, answer_function& answer);

  [[nodiscard]] bool due() const noexcept {
    return queue_.due();
  }

  [[nodiscard]] std::vector<topic_append> take() {
    return queue_.take();
  }

  /// The group under way is written.
  [[nodiscard]] delivery finish(std::vector<append_answer> answers);

  [[nodiscard]] bool under_way() const noexcept {
    return queue_.under_way();
  }

  [[nodiscard]] bool empty() const noexcept {
    return !queue_.under_way() && queue_.waiting_requests() == 0;
  }

private:
  topic_queue queue_;
  std::deque<sender> senders_; ///< of the group under way and of those that wait, by ticket
};

} // namespace ebb
