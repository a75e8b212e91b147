#include "actors/dataflow/watermark_merge.hpp"

#include <algorithm>

namespace ebb {

watermark_merge::watermark_merge(std::uint32_t inputs) : inputs_(inputs) {}

void watermark_merge::rows(std::uint32_t input) {
  auto& x = inputs_[input];
  if (x.now == state::idle) {
    x.now = state::active;
    settle();
  }
}

void watermark_merge::advance(std::uint32_t input, micros watermark) {
  auto& x = inputs_[input];
  x.watermark = std::max(x.watermark, watermark);
  x.now = x.watermark == max_time ? state::finished : state::active;
  settle();
}

void watermark_merge::idle(std::uint32_t input) {
  auto& x = inputs_[input];
  if (x.now == state::active) {
    x.now = state::idle;
    settle();
  }
}

micros watermark_merge::others(std::uint32_t input) const noexcept {
  micros result = max_time;
  for (std::uint32_t i = 0; i < inputs_.size(); ++i)
    if (i != input && inputs_[i].now == state::active)
      result = std::min(result, inputs_[i].watermark);
  return result;
}

void watermark_merge::settle() {
  bool any_active = false;
  bool any_idle = false;
  micros lowest = max_time;
  micros furthest_idle = min_time;
  for (const auto& x : inputs_) {
    if (x.now == state::active) {
      any_active = true;
      lowest = std::min(lowest, x.watermark);
    } else if (x.now == state::idle) {
      any_idle = true;
      furthest_idle = std::max(furthest_idle, x.watermark);
    }
  }
  all_idle_ = !any_active && any_idle;
  merged_ = std::max(merged_, all_idle_ ? furthest_idle : lowest);
}

batch_ptr bound_watermarks(const batch_ptr& rows, micros bound) {
  if (!rows->watermarks || bound == max_time)
    return rows;
  const auto* from = rows->watermarks.as<const micros>();
  if (std::all_of(from, from + rows->rows, [&](micros x) { return x <= bound; }))
    return rows;
  auto result = std::make_shared<batch>(*rows);
  result->watermarks = buffer_ptr::of<micros>(rows->rows);
  auto* to = result->watermarks.as<micros>();
  for (std::uint32_t i = 0; i < rows->rows; ++i)
    to[i] = std::min(from[i], bound);
  return result;
}

} // namespace ebb
