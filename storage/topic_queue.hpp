/// Gathers waiting append requests into groups. Pure: no threads, no clock.
///
/// Its owner offers requests as they come, takes a group when one is `due`, has it appended, and
/// finishes it; one group is under way at a time, and the next one gathers meanwhile. So groups are
/// as large as what comes during a commit: waiting for more would make all wait longer.
#pragma once

#include "schemas/error.hpp"
#include "storage/topic_request.hpp"

#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

namespace ebb {

struct topic_queue_limits {
  std::size_t group_bytes = std::size_t{4} << 20; ///< one request alone may be larger
  std::size_t group_requests = 1024;
  std::size_t waiting_bytes = std::size_t{64} << 20; ///< more are refused
  std::size_t waiting_requests = 16'384;
};

class topic_queue {
public:
  using ticket = std::uint64_t;

  explicit topic_queue(const topic_queue_limits& limits) : limits_(limits) {}

  /// Takes the request in, or ec::resource where too much waits (503). Tickets rise.
  [[nodiscard]] result<ticket> offer(topic_append request);

  /// Whether the next group should be taken: some wait, and none is under way.
  [[nodiscard]] bool due() const noexcept {
    return !under_way() && !waiting_.empty();
  }

  /// The next group, for topic_log::append. Empty where none waits. A group must not be under way.
  [[nodiscard]] std::vector<topic_append> take();

  /// The answers of the group under way, in its order, to their tickets.
  [[nodiscard]] std::vector<std::pair<ticket, append_answer>>
  finish(std::vector<append_answer> answers);

  /// Waiting, without the group under way.
  [[nodiscard]] std::size_t waiting_requests() const noexcept {
    return waiting_.size();
  }

  [[nodiscard]] std::size_t waiting_bytes() const noexcept {
    return waiting_bytes_;
  }

  [[nodiscard]] bool under_way() const noexcept {
    return !tickets_.empty();
  }

private:
  struct entry {
    ticket number = 0;
    std::size_t bytes = 0;
    topic_append request;
  };

  [[nodiscard]] std::size_t group_size() const;

  topic_queue_limits limits_;
  std::deque<entry> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::vector<ticket> tickets_; ///< of the group under way
  ticket next_ = 1;
};

} // namespace ebb
