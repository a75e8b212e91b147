/// Several segments as one state: newer entries win over older ones, erases are applied.
#pragma once

#include "schemas/error.hpp"
#include "storage/segment_reader.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace ebb {

class merged_cursor;

/// A view of open segments, from oldest (bases) to newest (deltas), as a record lists them. Used by
/// one thread at a time, since its readers are.
class merged_state {
public:
  explicit merged_state(std::vector<std::shared_ptr<segment_reader>> oldest_first);

  /// The live value, if any. The views live as long as the readers.
  [[nodiscard]] result<std::optional<segment_entry>>
  get(std::uint16_t key_group, std::uint16_t state, std::string_view key) const;

  /// The live entries of these key groups, in order of (key group, state, key). With `keep_erases`
  /// the newest erase of each key comes, too.
  [[nodiscard]] result<merged_cursor>
  scan(std::uint16_t first_key_group, std::uint16_t last_key_group, bool keep_erases = false) const;

  /// The same for who seeks first: until then nothing is read, and `next` gives false.
  [[nodiscard]] result<merged_cursor> unstarted_scan(std::uint16_t first_key_group,
                                                     std::uint16_t last_key_group,
                                                     bool keep_erases = false) const;

  [[nodiscard]] const std::vector<std::shared_ptr<segment_reader>>& segments() const noexcept {
    return segments_;
  }

private:
  std::vector<std::shared_ptr<segment_reader>> segments_;
};

/// A place in the merged order. May not outlive the readers.
class merged_cursor {
public:
  /// To the next live entry; false at the end, and then not to be called again.
  [[nodiscard]] result<bool> next();

  /// Lets `next` go on at the first entry that is not less.
  [[nodiscard]] result<void> seek(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key);

  /// Valid after `next` has given true. The views live as long as the readers.
  [[nodiscard]] const segment_entry& entry() const noexcept {
    return entry_;
  }

private:
  friend class merged_state;

  struct input {
    segment_cursor cursor;
    std::size_t age; ///< index of the segment; greater is newer
  };

  struct hider {
    const erased_prefixes* prefixes;
    std::size_t age;
  };

  result<void> start();
  result<void> advance_first();
  void sink(std::size_t at) noexcept;
  [[nodiscard]] bool before(std::size_t a, std::size_t b) const noexcept;
  [[nodiscard]] bool is_hidden(const segment_entry& entry, std::size_t age) const noexcept;

  std::vector<input> inputs_;
  std::vector<hider> hiders_;
  std::vector<std::size_t> heap_; ///< of inputs that stand on an entry, the first in front
  bool keep_erases_ = false;
  segment_entry entry_;
};

} // namespace ebb
