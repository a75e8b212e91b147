/// Sends batches of messages so that each is appended once, whatever happens on the way.
#pragma once

#include "tools/client/api.hpp"
#include "tools/client/line_batches.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace ebb::client {

struct sender_settings {
  std::string topic;
  std::string producer;
  std::uint64_t sequence = 0; ///< of the first message
  std::string ack = "logged";
  std::string stream;
  std::chrono::milliseconds timeout{}; ///< for one batch with its retries, for one acknowledgement
  /// Others may have sent some of these numbers under this name before: they are passed over.
  bool goes_on = false;
};

/// One batch after the other, numbered from the settings' sequence. Errors: ec::invalid_argument
/// with the file's line for a bad message, ec::conflict where others have used the numbers,
/// ec::io and ec::resource when the time is over, ec::cancelled.
class batch_sender {
public:
  /// `tell` is called with what it is waiting for.
  batch_sender(api& service, sender_settings settings,
               std::function<void(const std::string&)> tell);

  /// Until the service has appended it (or knows that it had). Lost connections, 429 and 503 are
  /// tried again, later and later.
  [[nodiscard]] result<void> send(line_batch batch, const std::string& file);

  /// Until all is acknowledged as the settings ask.
  [[nodiscard]] result<void> wait_for_acks();

  /// Messages that the topic has by now.
  [[nodiscard]] std::uint64_t sent() const noexcept {
    return sent_;
  }

  /// Of them, those that it had before.
  [[nodiscard]] std::uint64_t duplicates() const noexcept {
    return duplicates_;
  }

  [[nodiscard]] std::uint64_t next_sequence() const noexcept {
    return settings_.sequence + sent_;
  }

  /// `5`, `0-999`, or with several partitions `0:0-999 1:0-500`; empty = nothing was sent.
  [[nodiscard]] std::string offsets() const;

private:
  [[nodiscard]] result<http_response> append(const line_batch& batch);
  /// Whether the answer says that the first lines are there; takes them off.
  [[nodiscard]] bool pass_over(const http_response& answer, line_batch& batch);
  [[nodiscard]] result<void> note(const http_response& answer, std::size_t rows);
  [[nodiscard]] result<void> wait_for_oldest();
  /// An error where the stream that is to take the messages has failed: it takes no more by itself.
  [[nodiscard]] result<void> check_readers();

  api* service_;
  sender_settings settings_;
  std::function<void(const std::string&)> tell_;
  std::uint64_t sent_ = 0;
  std::uint64_t duplicates_ = 0;
  std::map<std::uint64_t, std::pair<std::uint64_t, std::uint64_t>> offsets_; ///< by partition
  std::deque<std::string> tokens_; ///< of what is not acknowledged as asked yet, oldest first
};

} // namespace ebb::client
