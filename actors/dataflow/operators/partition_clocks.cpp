#include "actors/dataflow/operators/partition_clocks.hpp"

#include "actors/dataflow/operators/window_slicer.hpp"

#include <algorithm>

namespace ebb {

void partition_clocks::set_count(std::uint32_t partitions, std::uint32_t ended,
                                 std::vector<std::uint32_t>& gone) {
  count_ = partitions;
  ended_ = ended;
  while (!clocks_.empty() && clocks_.begin()->first < ended) {
    gone.push_back(clocks_.begin()->first);
    clocks_.erase(clocks_.begin());
  }
}

void partition_clocks::set_quiet(const std::vector<std::uint32_t>& partitions, micros now) {
  quiet_ = partitions;
  for (auto& [partition, x] : clocks_)
    x.quiet = false;
  if (how_.holds())
    return;
  for (const auto partition : partitions) {
    auto& x = clocks_[partition];
    x.quiet = true;
    if (x.arrival == min_time)
      x.arrival = now;
  }
}

partition_clocks::clock& partition_clocks::rows_begin(std::uint32_t partition) {
  auto& x = clocks_[partition];
  x.idle = false;
  return x;
}

void partition_clocks::rows_end(clock& x, micros watermark, micros now) {
  x.watermark = std::max(x.watermark, watermark);
  x.base = x.watermark;
  x.arrival = now;
}

void partition_clocks::tick(micros now) {
  for (auto& [partition, x] : clocks_) {
    if (!x.quiet)
      continue;
    if (x.arrival == min_time)
      x.arrival = now;
    const auto elapsed = std::max<micros>(now - x.arrival, 0);
    if (may_advance(x) && elapsed >= how_.advance_after)
      x.watermark = std::max(x.watermark, saturated_sum(x.base, elapsed));
    if (const auto after = idle_after(x); after != max_time && elapsed >= after)
      x.idle = true;
  }
}

// One without a time that could advance holds the others back no longer than it would advance.
micros partition_clocks::idle_after(const clock& x) const noexcept {
  return may_advance(x) ? how_.idle_after : std::min(how_.idle_after, how_.advance_after);
}

micros partition_clocks::merged() const noexcept {
  if (any_unknown())
    return min_time;
  micros lowest = max_time;
  micros furthest_idle = min_time;
  for (const auto& [partition, x] : clocks_) {
    if (x.idle)
      furthest_idle = std::max(furthest_idle, x.watermark);
    else
      lowest = std::min(lowest, x.watermark);
  }
  return lowest == max_time ? furthest_idle : lowest;
}

micros partition_clocks::others(std::uint32_t partition) const noexcept {
  if (any_unknown())
    return min_time;
  micros result = max_time;
  for (const auto& [other, x] : clocks_)
    if (other != partition && !x.idle)
      result = std::min(result, x.watermark);
  return result;
}

bool partition_clocks::all_idle() const noexcept {
  return !clocks_.empty() && !any_unknown()
         && std::all_of(clocks_.begin(), clocks_.end(),
                        [](const auto& x) { return x.second.idle; });
}

std::optional<std::uint32_t> partition_clocks::holder() const noexcept {
  if (any_unknown()) {
    // One that is not quiet is being read, or will be.
    const auto found = std::find_if(quiet_.begin(), quiet_.end(),
                                    [&](auto x) { return x >= ended_ && !clocks_.contains(x); });
    return found == quiet_.end() ? std::nullopt : std::optional(*found);
  }
  std::optional<std::uint32_t> found;
  for (const auto& [partition, x] : clocks_)
    if (!x.idle && (!found || x.watermark < clocks_.at(*found).watermark))
      found = partition;
  return found;
}

micros partition_clocks::next_tick(micros now) const noexcept {
  micros result = max_time;
  for (const auto& [partition, x] : clocks_) {
    if (!x.quiet)
      continue;
    if (x.arrival == min_time)
      return min_time;
    if (may_advance(x)) {
      const auto begins = saturated_sum(x.arrival, how_.advance_after);
      result = std::min(result, begins > now ? begins : saturated_sum(now, advance_period));
    }
    if (const auto after = idle_after(x); !x.idle && after != max_time)
      result = std::min(result, saturated_sum(x.arrival, after));
  }
  return result;
}

// A stream sleeps where it has read all there is: then those are quiet, too, of which the reader
// has not said so yet.
micros partition_clocks::falls_idle(micros now) const noexcept {
  micros result = max_time;
  const auto note = [&](const clock& x) {
    if (const auto after = idle_after(x); !x.idle && after != max_time)
      result = std::min(result, saturated_sum(x.arrival == min_time ? now : x.arrival, after));
  };
  for (const auto& [partition, x] : clocks_)
    note(x);
  if (any_unknown())
    note({});
  return result;
}

micros partition_clocks::advances_from(micros now) const noexcept {
  micros result = min_time;
  for (const auto& [partition, x] : clocks_)
    if (may_advance(x) && !x.idle && now - x.arrival < how_.advance_after)
      result = std::max(result, saturated_sum(x.arrival, how_.advance_after));
  return result;
}

} // namespace ebb
