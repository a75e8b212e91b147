#include "actors/dataflow/operators/window_slicer.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

int128 floor_divide(int128 a, micros b) noexcept {
  const int128 quotient = a / b;
  return quotient * b > a ? quotient - 1 : quotient;
}

micros saturate(int128 x) noexcept {
  return x > max_time ? max_time : x < min_time ? min_time : static_cast<micros>(x);
}

} // namespace

window_slicer::window_slicer(const window_spec& window)
    : kind_(window.kind), size_(window.size),
      slide_(window.kind == window_kind::tumble ? window.size : window.slide),
      offset_(window.offset), width_(0) {
  EBB_ASSERT(kind_ != window_kind::session);
  if (kind_ == window_kind::attached)
    return;
  EBB_ASSERT(size_ > 0 && slide_ > 0);
  width_ = std::gcd(size_, slide_);
}

pane_id window_slicer::pane_of(micros time) const noexcept {
  const auto start = offset_ + floor_divide(int128{time} - offset_, width_) * width_;
  return {saturate(start + width_), saturate(start)};
}

std::optional<micros> window_slicer::next_end(const pane_id& pane, micros after) const noexcept {
  if (after == max_time) // an end that does not fit is cut to max_time; none comes behind it
    return std::nullopt;
  if (kind_ == window_kind::attached)
    return pane.end > after ? std::optional(pane.end) : std::nullopt;
  const int128 start = int128{pane.start} - offset_;
  const int128 passed = int128{after} - offset_;
  if (kind_ == window_kind::cumulate) {
    const int128 base = floor_divide(start, size_) * size_;
    const int128 steps =
        std::max(floor_divide(start - base, slide_), floor_divide(passed - base, slide_)) + 1;
    const int128 end = base + std::min<int128>(steps * slide_, size_);
    return end > passed ? std::optional(saturate(end + offset_)) : std::nullopt;
  }
  // Window k is [k · slide, k · slide + size).
  const int128 last = floor_divide(start, slide_);
  const int128 first =
      std::max(floor_divide(start - size_, slide_), floor_divide(passed - size_, slide_)) + 1;
  return first <= last ? std::optional(saturate(first * slide_ + size_ + offset_)) : std::nullopt;
}

std::optional<micros> window_slicer::last_end(const pane_id& pane) const noexcept {
  if (kind_ == window_kind::attached)
    return pane.end;
  const int128 start = int128{pane.start} - offset_;
  if (kind_ == window_kind::cumulate)
    return saturate(floor_divide(start, size_) * size_ + size_ + offset_);
  const int128 end = floor_divide(start, slide_) * slide_ + size_;
  return end > start ? std::optional(saturate(end + offset_)) : std::nullopt;
}

bool window_slicer::fits(const pane_id& pane) const noexcept {
  if (kind_ == window_kind::attached)
    return true;
  if (is_infinite(pane.start) || is_infinite(pane.end))
    return false;
  const int128 start = int128{pane.start} - offset_;
  if (kind_ == window_kind::cumulate) {
    const auto base = floor_divide(start, size_) * size_ + offset_;
    return base > min_time && base + size_ < max_time;
  }
  const auto first = (floor_divide(start - size_, slide_) + 1) * slide_ + offset_;
  const auto last = floor_divide(start, slide_) * slide_ + size_ + offset_;
  return first > min_time && last < max_time;
}

error out_of_range(std::uint32_t row) {
  auto problem = make_error(ec::evaluation,
                            "timestamp out of range: the row's window would reach "
                            "beyond the last timestamp or before the first",
                            "leave rows with such times out in a query before the window");
  problem.row = row;
  return problem;
}

micros window_slicer::start_of(const pane_id& pane, micros end) const noexcept {
  switch (kind_) {
  case window_kind::attached:
    return pane.start;
  case window_kind::cumulate:
    return saturate(floor_divide(int128{pane.start} - offset_, size_) * size_ + offset_);
  default:
    return saturate(int128{end} - size_);
  }
}

} // namespace ebb
