/// The watermarks of a source's partitions, and how they go on while no rows come.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace ebb {

/// What a quiet partition does. Processing time; max_time = never.
struct quiet_time {
  micros idle_after = max_time;    ///< it no longer holds back the others
  micros advance_after = max_time; ///< its watermark goes with processing time

  [[nodiscard]] bool holds() const noexcept {
    return idle_after == max_time && advance_after == max_time;
  }
};

/// Pure. Partitions are numbered as the reader numbers them. One is quiet where the reader says so;
/// how long, is counted from its last rows, or from the first look at it.
class partition_clocks {
public:
  struct clock {
    micros watermark = min_time; ///< never falls
    micros base = min_time;      ///< what it was when the last rows had come
    micros arrival = min_time;   ///< processing time of these; min_time: not known yet
    bool quiet = false;
    bool idle = false;
  };

  explicit partition_clocks(quiet_time how) : how_(how) {}

  /// One that is known from before a restart.
  void restore(std::uint32_t partition, const clock& x) {
    clocks_.insert_or_assign(partition, x);
  }

  /// How many there are, and that those below `ended` have ended. True where some have gone that
  /// were known: they are appended to `gone`.
  void set_count(std::uint32_t partitions, std::uint32_t ended, std::vector<std::uint32_t>& gone);
  /// All others have rows, or may have.
  void set_quiet(const std::vector<std::uint32_t>& partitions, micros now);
  /// The partition has rows: the clock to go on with, until `rows_end`.
  [[nodiscard]] clock& rows_begin(std::uint32_t partition);
  static void rows_end(clock& x, micros watermark, micros now);
  /// Processing time goes on.
  void tick(micros now);

  /// Of all partitions: the least of those that hold it. Of idle ones alone the furthest, so that
  /// the order in which they fall idle does not matter.
  [[nodiscard]] micros merged() const noexcept;
  /// What the others allow; max_time where none holds anything.
  [[nodiscard]] micros others(std::uint32_t partition) const noexcept;
  /// There are partitions that have not ended, and all are idle.
  [[nodiscard]] bool all_idle() const noexcept;
  /// The partition that keeps `merged` where it is; nothing: not known, or all are idle.
  [[nodiscard]] std::optional<std::uint32_t> holder() const noexcept;

  /// Processing time of the next `tick` that matters.
  [[nodiscard]] micros next_tick(micros now) const noexcept;
  /// As source_clock.
  [[nodiscard]] micros falls_idle(micros now) const noexcept;
  [[nodiscard]] micros advances_from(micros now) const noexcept;

  /// Those that have had rows or were quiet.
  [[nodiscard]] const std::map<std::uint32_t, clock>& known() const noexcept {
    return clocks_;
  }

  [[nodiscard]] std::uint32_t count() const noexcept {
    return count_;
  }

  [[nodiscard]] std::uint32_t ended() const noexcept {
    return ended_;
  }

  /// How often the watermark of a quiet partition is moved: results of its windows are late by so
  /// much.
  static constexpr micros advance_period = 100'000;

private:
  /// Some partition is not known at all: it may bring any rows.
  [[nodiscard]] bool any_unknown() const noexcept {
    return clocks_.size() + ended_ < count_;
  }

  [[nodiscard]] bool may_advance(const clock& x) const noexcept {
    return how_.advance_after != max_time && x.base != min_time;
  }

  /// After so long without rows; max_time = never.
  [[nodiscard]] micros idle_after(const clock& x) const noexcept;

  quiet_time how_;
  std::map<std::uint32_t, clock> clocks_;
  std::vector<std::uint32_t> quiet_;
  std::uint32_t count_ = 0; ///< 0 = not known yet
  std::uint32_t ended_ = 0; ///< the first ones
};

} // namespace ebb
