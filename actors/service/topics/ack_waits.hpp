/// Requests that wait until their messages are checkpointed or committed.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/service/topics/ack_tracker.hpp"
#include "actors/service/topics/deadline_timer.hpp"
#include "actors/service/topics/job_lanes.hpp"
#include "actors/service/topics/use_gate.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace ebb {

/// Thread-safe. Answers each request once: 200 when it is reached, 202 after the time, or the
/// tracker's error.
class ack_waits : public std::enable_shared_from_this<ack_waits> {
public:
  /// `tracker` may be null: then only what is logged is known.
  ack_waits(ack_tracker* tracker, io_executor& io);

  /// Whether such a question can be answered at all, asked before anything is appended.
  [[nodiscard]] result<void> check(const ack_question& what) const;

  /// `receipt.ack` is set by what is found.
  void wait(ack_question what, message_receipt receipt, std::chrono::milliseconds time,
            http_reply reply);

  /// Answers all that wait with 503.
  void close();

private:
  struct waiting;

  [[nodiscard]] result<bool> reached(const ack_question& what) const;
  void ask(std::uint64_t number);
  void ask_soon(std::uint64_t number);
  [[nodiscard]] std::shared_ptr<waiting> find(std::uint64_t number) const;
  std::shared_ptr<waiting> forget(std::uint64_t number);
  void time_out(std::uint64_t number);

  ack_tracker* const tracker_;
  mutable use_gate use_; ///< of the tracker
  job_lanes lanes_;
  deadline_timer timer_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::shared_ptr<waiting>> waiting_;
  std::uint64_t next_ = 1;
  bool closed_ = false;
};

} // namespace ebb
