/// Stored state in segments.
#pragma once

#include "actors/runtime/stored_state.hpp"
#include "storage/segment.hpp"
#include "storage/snapshot_store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// What a record says of its state.
struct recorded_segments {
  std::string folder; ///< of the segments
  std::string stream_uid;
  std::uint16_t key_groups = 128;
  std::vector<segment_info> segments;         ///< oldest first
  std::shared_ptr<snapshot_store> store = {}; ///< null: `folder` has them all
};

/// One of them.
[[nodiscard]] result<std::unique_ptr<segment_reader>> open_segment(const recorded_segments& from,
                                                                   const segment_info& which);

[[nodiscard]] std::uint64_t byte_size(const recorded_segments& x) noexcept;

/// Opens all segments. What is read is verified before it is used; with `verify`, every byte is
/// now. `damaged` is called, by any thread, when damage is found later.
[[nodiscard]] result<std::unique_ptr<stored_state>>
open_segments(const recorded_segments& from, bool verify, std::function<void()> damaged);

} // namespace ebb
