/// Makes new segments of the merged state of others, so that recovery stays short and space is
/// given back.
#pragma once

#include "schemas/error.hpp"
#include "storage/merged_state.hpp"
#include "storage/segment_writer.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct merge_request {
  std::string folder; ///< of the new files
  /// Of the new segments; its key groups are the range that is merged. Kind `base` applies erases
  /// and forgets them, so the inputs must be all segments of the range, or the oldest of them; any
  /// other kind keeps erases.
  segment_identity identity;
  std::function<std::string(std::size_t)> name; ///< file name of the n-th new segment, from 0
  /// A segment ends with the key group in which it reaches this size.
  std::uint64_t target_bytes = 128 << 20;
  /// States, by number, whose entries are left behind; empty = none.
  std::vector<bool> dropped = {};
  /// For `merge_segments`: whether to give up, asked every some ten milliseconds; empty = never.
  std::function<bool()> give_up = {};
};

/// A merge in slices. The new segments cover the range without gaps, one at least. Destroying an
/// unfinished merge removes its files. One thread at a time; the inputs' readers belong to it.
class segment_merge {
public:
  segment_merge(merged_state inputs, merge_request request);

  segment_merge(segment_merge&&) = default;
  segment_merge& operator=(segment_merge&&) = delete;
  ~segment_merge();

  /// Copies up to `entries` entries, and makes each segment that gets complete durable. True when
  /// the merge is done. After an error it is over.
  [[nodiscard]] result<bool> step(std::size_t entries);

  /// The new segments in order of their key groups; only when done.
  [[nodiscard]] std::vector<segment_info> take();

private:
  [[nodiscard]] bool is_dropped(std::uint16_t state) const noexcept {
    return state < request_.dropped.size() && request_.dropped[state];
  }

  result<void> begin_segment(std::uint16_t first_key_group);
  result<void> end_segment(std::uint16_t last_key_group);

  merged_state inputs_;
  merge_request request_;
  std::optional<merged_cursor> cursor_;
  std::optional<segment_writer> writer_;
  std::uint16_t first_key_group_ = 0; ///< of the segment being written
  std::uint16_t key_group_ = 0;       ///< of the last entry
  std::vector<segment_info> finished_;
};

/// All slices at once. No segments where it was given up.
[[nodiscard]] result<std::vector<segment_info>> merge_segments(merged_state inputs,
                                                               merge_request request);

} // namespace ebb
