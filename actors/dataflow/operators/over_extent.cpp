#include "actors/dataflow/operators/over_extent.hpp"

#include <algorithm>

namespace ebb {

namespace {

using kind = over_call::kind;

constexpr auto all = over_extent::all;

// Rows of a frame; values of a RANGE may reach any row.
over_extent extent_of(const frame_spec& frame) {
  over_extent x;
  if (frame.range
      && ((!frame.unbounded && frame.preceding != 0) || (!frame.to_last && frame.following != 0)))
    return {all, all, all, all, true};
  x.by_peers = frame.range;
  x.needs_before = frame.unbounded ? all : std::clamp<std::int64_t>(frame.preceding, 0, all);
  x.needs_after = frame.to_last ? all : std::clamp<std::int64_t>(frame.following, 0, all);
  x.felt_after = x.needs_before;
  x.felt_before = x.needs_after;
  return x;
}

over_extent extent_of(const over_call& call) {
  const auto distance = std::clamp<std::int64_t>(call.distance, 0, all);
  switch (call.what) {
  case kind::lag:
    return {0, distance, distance, 0, false};
  case kind::lead:
    return {distance, 0, 0, distance, false};
  case kind::row_number:
    return {0, all, all, 0, false};
  case kind::rank:
  case kind::dense_rank:
    return {0, all, all, 0, true};
  case kind::ntile:
  case kind::percent_rank:
  case kind::cume_dist:
    return {all, all, all, all, true};
  default:
    return extent_of(call.frame);
  }
}

} // namespace

over_extent extent_of(const std::vector<over_call>& calls) {
  over_extent result;
  for (const auto& call : calls) {
    const auto x = extent_of(call);
    result.felt_before = std::max(result.felt_before, x.felt_before);
    result.felt_after = std::max(result.felt_after, x.felt_after);
    result.needs_before = std::max(result.needs_before, x.needs_before);
    result.needs_after = std::max(result.needs_after, x.needs_after);
    result.by_peers = result.by_peers || x.by_peers;
  }
  return result;
}

} // namespace ebb
