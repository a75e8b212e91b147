/// Real-time pace of synthetic sources: how many of its numbers may exist by now.
#pragma once

#include "schemas/types.hpp"

#include <algorithm>
#include <cstdint>

namespace ebb {

/// Pure: the clock comes in as an argument. Rate 0 = no limit.
class pace {
public:
  /// `first`: the number that may be made next when the clock starts.
  explicit pace(std::uint64_t per_second, std::uint64_t first = 0) noexcept
      : per_second_(per_second), first_(first) {}

  /// Numbers below may be made. The first call starts the clock.
  [[nodiscard]] std::uint64_t allowed(micros now) noexcept {
    if (per_second_ == 0)
      return UINT64_MAX;
    if (start_ == min_time)
      start_ = now;
    const auto elapsed = static_cast<unsigned __int128>(std::max<micros>(0, now - start_));
    return first_
           + static_cast<std::uint64_t>(elapsed * per_second_
                                        / static_cast<std::uint64_t>(micros_per_second));
  }

  /// Earliest time at which number n is allowed (after the first call of `allowed`), at most one
  /// tick of a millisecond away for high rates so that rows leave in small groups.
  [[nodiscard]] micros when(std::uint64_t n, micros now) const noexcept {
    const auto due =
        start_
        + static_cast<micros>(static_cast<unsigned __int128>(n + 1 - std::min(n, first_))
                              * static_cast<std::uint64_t>(micros_per_second) / per_second_)
        + 1;
    return std::max(due, now + tick);
  }

private:
  // Waking more often than this would cost more than the rows it brings.
  static constexpr micros tick = 500;

  std::uint64_t per_second_;
  std::uint64_t first_;
  micros start_ = min_time;
};

} // namespace ebb
