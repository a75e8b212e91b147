#include "actors/runtime/merge_plan.hpp"

#include <algorithm>
#include <cstdint>

namespace ebb {

namespace {

constexpr std::uint64_t least_bytes = 8 << 20;
constexpr std::size_t most_deltas = 16;
constexpr std::size_t least_deltas = 4; ///< that become bases

bool is_merged_delta(const segment_info& x) {
  return x.id.rfind(merged_delta, 0) == 0;
}

} // namespace

bool merge_kept_most(std::uint64_t bytes_before, std::uint64_t bytes_after) noexcept {
  return bytes_after >= bytes_before - bytes_before / 8;
}

bool is_plain_delta(const segment_info& x) {
  return x.kind == segment_kind::delta && !is_merged_delta(x);
}

merge_plan plan_merge(std::span<const segment_info> segments, bool grows) {
  std::uint64_t base_bytes = 0;
  std::uint64_t delta_bytes = 0;
  std::size_t bases = 0;
  for (const auto& x : segments) {
    const bool base = x.kind == segment_kind::base;
    (base ? base_bytes : delta_bytes) += x.bytes;
    bases += base ? 1 : 0;
  }
  if (segments.size() - bases >= least_deltas
      && delta_bytes > std::max(least_bytes, grows ? base_bytes : base_bytes / 3))
    return {0, segments.size(), true};
  const auto deltas = segments.subspan(bases);
  const auto merged =
      static_cast<std::size_t>(std::count_if(deltas.begin(), deltas.end(), is_merged_delta));
  if (deltas.size() - merged >= most_deltas)
    return {bases + merged, deltas.size() - merged, false};
  if (merged >= most_deltas)
    return {bases, merged, false};
  return {};
}

} // namespace ebb
