/// The state of several snapshots in the order of a segment. Pure.
#pragma once

#include "actors/runtime/checkpoint_store.hpp"
#include "storage/segment.hpp"

#include <span>
#include <vector>

namespace ebb {

/// By key group, state and key; of entries with one key the last written. Erased prefixes come
/// before what lies under them. The views live as long as the snapshots.
[[nodiscard]] std::vector<segment_entry> sorted_entries(std::span<const snapshot_ptr> snapshots);

} // namespace ebb
