/// Which segments of a stream to merge. Pure.
#pragma once

#include "schemas/segment_info.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace ebb {

/// First part of the name of a delta that was made of others.
inline constexpr const char* merged_delta = "merged";

/// A delta as an epoch has written it.
[[nodiscard]] bool is_plain_delta(const segment_info& x);

struct merge_plan {
  std::size_t first = 0;
  std::size_t count = 0; ///< 0 = nothing to do
  bool into_base = false;
};

/// Of segments from oldest (bases) to newest. When four deltas or more hold more than a third of
/// what the bases do (and 8 MiB), all becomes new bases; where state `grows`, as much as the bases:
/// there is little to drop. Else 16 deltas of epochs become one, so that a restore opens few files,
/// and 16 of those one again. So a changed byte is written less than six times.
[[nodiscard]] merge_plan plan_merge(std::span<const segment_info> segments, bool grows = false);

/// Whether the next merge of everything should wait, since this one dropped little.
[[nodiscard]] bool merge_kept_most(std::uint64_t bytes_before, std::uint64_t bytes_after) noexcept;

} // namespace ebb
