/// Arithmetic of aligned windows: which panes they are cut into and when they end. Pure.
///
/// A pane is the longest stretch of time that no window's edge cuts: all rows of a pane lie in the
/// same windows. Divisions round towards minus infinity, so times before 1970 need no care; what
/// would lie outside the range of times is cut at it.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <compare>
#include <optional>

namespace ebb {

/// A pane, or an attached window, by its edges; ordered by end, then start.
struct pane_id {
  micros end = min_time;
  micros start = min_time;

  auto operator<=>(const pane_id&) const = default;
};

/// For tumble, hop, cumulate, and attached windows, which are panes of their own.
class window_slicer {
public:
  explicit window_slicer(const window_spec& window);

  /// The pane of a time. Not for attached windows.
  [[nodiscard]] pane_id pane_of(micros time) const noexcept;

  /// End of the first window with this pane that ends after `after`; none = there is none (a hop
  /// with gaps has panes without windows).
  [[nodiscard]] std::optional<micros> next_end(const pane_id& pane, micros after) const noexcept;

  /// End of the last window with this pane; none = it has no windows.
  [[nodiscard]] std::optional<micros> last_end(const pane_id& pane) const noexcept;

  /// All windows with this pane begin and end within the range of times.
  [[nodiscard]] bool fits(const pane_id& pane) const noexcept;

  /// Start of the window with this pane that ends at `end`.
  [[nodiscard]] micros start_of(const pane_id& pane, micros end) const noexcept;

private:
  window_kind kind_;
  micros size_;
  micros slide_;
  micros offset_;
  micros width_; ///< of a pane
};

/// True for the infinities, which lie in no window.
[[nodiscard]] constexpr bool is_infinite(micros time) noexcept {
  return time == min_time || time == max_time;
}

/// The window of row number `row` would reach beyond the range of times: its edges cannot be told.
[[nodiscard]] error out_of_range(std::uint32_t row);

/// a + b, cut at the range of times.
[[nodiscard]] constexpr micros saturated_sum(micros a, micros b) noexcept {
  micros sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    return b < 0 ? min_time : max_time;
  return sum;
}

} // namespace ebb
