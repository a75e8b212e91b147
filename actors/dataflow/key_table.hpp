/// One open-addressing table from hash tags to slot numbers: linear probing, 8-byte entries, no
/// tombstones. Knows nothing of keys: the caller compares. Internal to key_index.
#pragma once

#include "schemas/assert.hpp"

#include <cstdint>
#include <memory>

namespace ebb {

struct key_table_entry {
  std::uint32_t tag = 0;
  std::uint32_t slot = UINT32_MAX; ///< key_table::no_slot = empty
};

/// What a table without memory of its own looks at.
inline constexpr key_table_entry empty_key_table_entry{};

class key_table {
public:
  static constexpr std::uint32_t no_slot = UINT32_MAX;
  using entry = key_table_entry;

  [[nodiscard]] std::uint32_t used() const noexcept {
    return used_;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return entries_ ? (std::size_t{mask_} + 1) * sizeof(entry) : 0;
  }

  void prefetch(std::uint32_t tag) const noexcept {
    __builtin_prefetch(&probe_start(tag));
  }

  /// The slot in the first entry that the tag would be looked for in, if its tag is equal.
  [[nodiscard]] std::uint32_t first_guess(std::uint32_t tag) const noexcept {
    const auto& e = probe_start(tag);
    return e.tag == tag ? e.slot : no_slot;
  }

  /// Slot with this tag for which `equal(slot)` holds, or no_slot.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint32_t tag, const Equal& equal) const {
    for (auto at = tag & mask_;; at = (at + 1) & mask_) {
      const auto e = view_[at];
      if (e.slot == no_slot)
        return no_slot;
      if (e.tag == tag && equal(e.slot))
        return e.slot;
    }
  }

  /// Adds a slot that is not in the table.
  void insert(std::uint32_t tag, std::uint32_t slot) {
    if (used_ >= limit_)
      grow();
    place(tag, slot);
    ++used_;
  }

  /// Removes an entry that is in the table, and closes the gap.
  void erase(std::uint32_t tag, std::uint32_t slot) {
    auto at = tag & mask_;
    while (view_[at].slot != slot) {
      EBB_ASSERT(view_[at].slot != no_slot);
      at = (at + 1) & mask_;
    }
    for (auto next = (at + 1) & mask_; view_[next].slot != no_slot; next = (next + 1) & mask_) {
      const auto home = view_[next].tag & mask_;
      if (((next - home) & mask_) >= ((next - at) & mask_)) {
        entries_[at] = entries_[next];
        at = next;
      }
    }
    entries_[at] = entry{};
    --used_;
  }

  /// A slot of the table, which is not empty.
  [[nodiscard]] std::uint32_t any() const noexcept {
    std::size_t at = 0;
    while (view_[at].slot == no_slot)
      ++at;
    return view_[at].slot;
  }

  /// Calls `visit(slot)` for each entry.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t at = 0; at <= mask_; ++at)
      if (view_[at].slot != no_slot)
        visit(view_[at].slot);
  }

private:
  static constexpr std::uint32_t first_capacity = 8; // one cache line

  [[nodiscard]] const entry& probe_start(std::uint32_t tag) const noexcept {
    return view_[tag & mask_];
  }

  void place(std::uint32_t tag, std::uint32_t slot) noexcept {
    auto at = tag & mask_;
    while (entries_[at].slot != no_slot)
      at = (at + 1) & mask_;
    entries_[at] = entry{tag, slot};
  }

  void grow() {
    const auto old = std::move(entries_);
    const std::size_t old_capacity = old ? std::size_t{mask_} + 1 : 0;
    const std::size_t capacity = old_capacity == 0 ? first_capacity : old_capacity * 2;
    EBB_ASSERT(capacity <= (std::size_t{1} << 32));
    entries_ = std::make_unique<entry[]>(capacity);
    view_ = entries_.get();
    mask_ = static_cast<std::uint32_t>(capacity - 1);
    // At most 5/8 full: probes stay short, and a doubled table starts at 5/16.
    limit_ = static_cast<std::uint32_t>(capacity / 8 * 5);
    for (std::size_t at = 0; at < old_capacity; ++at)
      if (old[at].slot != no_slot)
        place(old[at].tag, old[at].slot);
  }

  const entry* view_ = &empty_key_table_entry; ///< entries_, or before the first insert this
  std::uint32_t mask_ = 0;
  std::uint32_t limit_ = 0;
  std::uint32_t used_ = 0;
  std::unique_ptr<entry[]> entries_;
};

} // namespace ebb
