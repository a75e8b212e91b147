/// A worker's calls to the control process, over whichever connection there is.
#pragma once

#include "actors/links/link_connection.hpp"
#include "schemas/error.hpp"
#include "schemas/link_records.hpp"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

struct call_limits {
  std::size_t calls = 4096;                  ///< under way
  std::size_t bytes = std::size_t{32} << 20; ///< of rows in calls under way
};

/// Thread-safe. Calls outlive connections: they wait for the next one, and what was sent and not
/// answered is sent again where that does no harm (ledger_calls.hpp).
class link_calls {
public:
  using answer_function = std::function<void(call_outcome&&)>;

  explicit link_calls(const call_limits& limits = {});

  /// No call is under way.
  ~link_calls();
  link_calls(const link_calls&) = delete;
  link_calls& operator=(const link_calls&) = delete;

  // Callers.

  /// Blocks for at most `patience`. Errors, besides those of the function itself: ec::resource: no
  /// answer came in that time, or it is not known whether a commit was recorded; the caller looks
  /// it up or does the same again later. ec::cancelled: by `cancel` or `stop`. ec::unsupported: too
  /// large for a link. ec::io: not known whether rows were appended.
  [[nodiscard]] call_outcome call(const stream_placement& from, call_operation operation,
                                  std::chrono::milliseconds patience);

  /// The same without blocking and without end of patience; `answer` is called once, from any
  /// thread, also from this one. ec::resource at once where limits are reached.
  void start(const stream_placement& from, call_operation operation, answer_function answer);

  /// All calls of this placement, now and later, fail: its stream is killed.
  void cancel(const stream_placement& from);

  /// All calls, now and later, fail: the worker ends.
  void stop();

  // The connection's handlers.

  /// The control process has said welcome. `incarnation` is its own.
  void connected(const link_pointer& link, std::uint64_t incarnation);

  void disconnected(const link_pointer& link);

  void answered(call_answer&& x);

  /// Calls under way.
  [[nodiscard]] std::size_t waiting() const;

private:
  struct pending;
  using pending_pointer = std::shared_ptr<pending>;
  using calls_map = std::map<std::uint64_t, pending_pointer>;

  class holding;

  pending_pointer admit(const stream_placement& from, call_operation&& operation,
                        std::size_t bytes);
  bool has_room(std::size_t bytes) const;
  bool is_cancelled(const stream_placement& from) const;
  result<void> try_send(const pending_pointer& x);
  void settle(const pending_pointer& x, call_outcome outcome);
  void forget(const pending_pointer& x);

  const call_limits limits_;
  mutable std::mutex mutex_; ///< of all that follows
  std::condition_variable room_;
  calls_map calls_;                                ///< by id
  std::map<std::string, std::uint64_t> cancelled_; ///< uid -> highest placement
  /// Answers to be given without the lock.
  std::vector<std::pair<answer_function, call_outcome>> answers_;
  std::uint64_t next_id_ = 1;
  std::size_t bytes_ = 0;
  link_pointer link_;
  std::uint64_t incarnation_ = 0;
  bool stopped_ = false;
};

} // namespace ebb
