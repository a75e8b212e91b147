/// The times of an interval join: which partners a row has, and until when.
#pragma once

#include "schemas/types.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace ebb {

/// a + b, where infinite times stay infinite and nothing wraps.
[[nodiscard]] constexpr micros add_time(micros a, micros b) noexcept {
  if (a == min_time || a == max_time)
    return a;
  micros sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    return b > 0 ? max_time : min_time;
  return sum;
}

/// left.time BETWEEN right.time + lower AND right.time + upper. Side 0 is left.
struct interval_bounds {
  micros lower = 0;
  micros upper = 0;

  /// Times of the partners of a row of this side, both ends included.
  [[nodiscard]] constexpr std::pair<micros, micros> partners(std::size_t side,
                                                             micros time) const noexcept {
    if (side == 0)
      return {add_time(time, -upper), add_time(time, -lower)};
    return {add_time(time, lower), add_time(time, upper)};
  }

  /// The row is kept until the watermark is beyond this: its last partner's time, and its own.
  [[nodiscard]] constexpr micros kept_until(std::size_t side, micros time) const noexcept {
    return std::max(time, partners(side, time).second);
  }

  [[nodiscard]] constexpr bool expired(std::size_t side, micros time,
                                       micros watermark) const noexcept {
    return watermark == max_time || watermark > kept_until(side, time);
  }

  /// Watermark for the joined rows: neither time column of a row to come lies before it. A new left
  /// row (>= watermark) has partners down to watermark - upper, a new right row down to
  /// watermark + lower; unmatched rows that wait are not older than those.
  [[nodiscard]] constexpr micros output_watermark(micros watermark) const noexcept {
    return add_time(watermark, -std::max({micros{0}, -lower, upper}));
  }

  /// Width of the panes in which rows are stored and go away: an eighth of the interval.
  [[nodiscard]] constexpr micros pane_width() const noexcept {
    return std::max(micros_per_second / 10, add_time(upper, -lower) / 8);
  }

  /// End of the row's pane: once the watermark has reached it, all rows of the pane have expired.
  [[nodiscard]] constexpr micros pane_end(std::size_t side, micros time) const noexcept {
    const auto last = kept_until(side, time);
    if (last == min_time || last == max_time)
      return last == min_time ? min_time + 1 : max_time;
    const auto width = pane_width();
    const auto rest = last % width;
    micros end = 0;
    // The distance to the end is below the width; the end is above `last` or beyond all times.
    return __builtin_add_overflow(last, rest < 0 ? -rest : width - rest, &end) ? max_time : end;
  }
};

} // namespace ebb
