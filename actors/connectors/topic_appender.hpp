/// Sends rows to a topic at once and counts the answers.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace ebb {

/// Owned by the sink and by requests that wait for their answers. Methods are called by the sink's
/// thread. Requests of one object are appended in their order.
class topic_appender : public std::enable_shared_from_this<topic_appender> {
public:
  topic_appender(topic_access& topics, const topic_info& topic, wake_function wake)
      : topics_(topics), uid_(topic.uid), name_(topic.name), wake_(std::move(wake)) {}

  /// Or the error of an earlier one.
  [[nodiscard]] result<void> append(topic_part part);

  /// Requests so far.
  [[nodiscard]] std::uint64_t sent() const;
  /// Whether all requests but those after the first `count` are answered; else the wake function
  /// will be called.
  [[nodiscard]] result<bool> answered(std::uint64_t count);
  /// Bytes without an answer.
  [[nodiscard]] std::size_t backlog() const;

  /// Nothing is called any more.
  void stop();

private:
  void take(append_answer answer, std::uint64_t number, std::size_t bytes);

  topic_access& topics_;
  const std::string uid_;
  const std::string name_;

  mutable std::mutex mutex_; ///< guards what follows
  wake_function wake_;
  std::uint64_t sent_ = 0;
  std::deque<bool> answered_; ///< from the first request without an answer on
  std::size_t bytes_ = 0;
  std::optional<error> failure_;
};

} // namespace ebb
