/// GET /v1/topics/{topic}/messages: one client that reads a topic.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/http_request.hpp"
#include "actors/service/topics/message_metrics.hpp"
#include "actors/service/topics/message_text.hpp"
#include "actors/service/topics/topic_cursor.hpp"
#include "actors/service/topics/topic_host.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// Works in jobs on the topic's lane for reading, one piece of text each, so that readers take
/// turns. While the client reads slowly, or waits for messages to come, it holds offsets and
/// nothing else. Who made it holds it until `ended` is called; jobs hold it while they run.
class message_reading final : public std::enable_shared_from_this<message_reading> {
public:
  message_reading(io_executor& io, std::shared_ptr<topic_host> of,
                  std::shared_ptr<const http_request> request, http_reply reply,
                  const message_metrics& metrics, std::function<void()> ended);
  ~message_reading();

  /// Once, after it was made.
  void start();

  /// Cuts the client's stream.
  void stop();

private:
  enum class stage : std::uint8_t { beginning, counting, sending, done };
  enum class outcome : std::uint8_t { more, wait_for_rows, wait_for_client, done };

  void poke(bool room);
  void post();
  void run();
  void finish();
  [[nodiscard]] outcome step();
  [[nodiscard]] outcome begin();
  [[nodiscard]] std::optional<http_problem> find_positions(const std::vector<topic_bounds>& bounds);
  [[nodiscard]] outcome count_on();
  [[nodiscard]] outcome open_stream(const std::vector<topic_cursor::position>& next);
  [[nodiscard]] outcome send();
  [[nodiscard]] bool has_much() const noexcept;
  [[nodiscard]] result<std::string> make_piece(std::uint64_t& rows);
  [[nodiscard]] outcome give_up(const error& why);
  [[nodiscard]] result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                                         const topic_read_limits& limits);

  io_executor& io_;
  const std::shared_ptr<topic_host> of_;
  const std::shared_ptr<const http_request> request_;
  const message_metrics metrics_;
  const bool follow_;
  const std::shared_ptr<const topic_settings> topic_;

  // Of the job.
  std::optional<http_reply> reply_; ///< until the stream is open
  std::optional<http_stream> stream_;
  std::optional<topic_cursor> cursor_;
  std::optional<topic_cursor> counter_; ///< goes ahead, to find where `limit` ends
  std::uint64_t counted_ = 0;           ///< rows that it may still pass
  std::optional<message_text> text_;
  std::uint64_t left_ = 0; ///< rows that may still be sent
  std::uint32_t pieces_ = 0; ///< sent since it began, or has waited at the end
  stage stage_ = stage::beginning;

  std::mutex mutex_;
  std::function<void()> ended_;
  std::shared_ptr<void> watch_;
  bool posted_ = false;  ///< a job is queued or runs
  bool again_ = false;   ///< there was news while it ran
  bool blocked_ = false; ///< only room helps
  bool stopped_ = false;
  bool bulk_ = false; ///< the next job's lane
};

} // namespace ebb
