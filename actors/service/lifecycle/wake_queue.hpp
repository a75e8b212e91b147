/// Which of the streams that want to wake may do so next. Pure.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebb {

struct wake_queue_limits {
  std::size_t starting = 8; ///< streams that start at the same time
  std::size_t waiting = 20'000;
  std::size_t waiting_in_namespace = 10'000;
  micros late_after = 10 * micros_per_second; ///< then a stream that waits is told of
};

/// Namespaces take turns; within one the first comes first. A stream is identified by `stream`, of
/// any form, unique over all namespaces. All operations take constant time on average.
class wake_queue {
public:
  explicit wake_queue(const wake_queue_limits& limits);

  /// Asking again changes nothing. ec::resource when too many wait: says how many and where.
  [[nodiscard]] result<void> ask(std::string_view name_space, std::string_view stream, micros now);

  /// The stream has started, or does not want to any more. Not being here is no error.
  void leave(std::string_view stream);

  /// Those that may start now, in this order; each counts as starting until it leaves.
  [[nodiscard]] std::vector<std::string> take_granted();

  struct late_entry {
    std::string stream;
    micros waited = 0;
  };

  /// Those that have become late since the last call; each is told once.
  [[nodiscard]] std::vector<late_entry> take_late(micros now);

  /// When `take_late` has something to say next; max_time = never, as it stands.
  [[nodiscard]] micros next_time() const noexcept;

  [[nodiscard]] std::size_t waiting() const noexcept {
    return waiting_;
  }

  [[nodiscard]] std::size_t starting() const noexcept {
    return starting_;
  }

  /// How many of its namespace are before this one, and how many wait in all; empty text when it
  /// does not wait.
  [[nodiscard]] std::string why(std::string_view stream) const;

private:
  struct entry {
    std::string name_space;
    std::uint64_t ticket = 0;
    micros asked = 0;
    bool starting = false;
  };

  /// In line; void when its stream has no entry with this ticket that waits.
  struct turn {
    std::string stream;
    std::uint64_t ticket = 0;
    micros asked = 0;
  };

  struct line {
    std::deque<turn> turns;
    std::size_t waiting = 0; ///< turns that are not void
  };

  [[nodiscard]] bool waits(const turn& x) const;
  /// Streams that ask and leave again and again must not make a queue grow.
  void compact(std::deque<turn>& turns, std::size_t valid);
  void prune();

  wake_queue_limits limits_;
  std::unordered_map<std::string, entry> entries_;
  std::unordered_map<std::string, line> lines_; ///< of namespaces in which streams wait
  std::deque<std::string> order_;               ///< whose turn it is; each namespace of lines_ once
  std::deque<turn> by_age_;                     ///< not told yet, oldest first
  std::uint64_t next_ticket_ = 1;
  std::size_t waiting_ = 0;
  std::size_t starting_ = 0;
};

} // namespace ebb
