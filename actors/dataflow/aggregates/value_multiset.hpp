/// Values and how often each occurs, sorted when they are looked at. Internal to the folder.
#pragma once

#include "schemas/assert.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace ebb {

/// Value: see sorted_values.hpp. Counts may be negative for a while, where a deletion comes before
/// what it deletes.
template <class Value>
class value_multiset {
public:
  struct entry {
    Value value;
    std::int64_t count = 0;
  };

  void add(Value value, std::int64_t count) {
    heap_ += value.heap_bytes();
    entries_.push_back({std::move(value), count});
    // Sorted now and then, so that repetitions take no room; each time twice as late.
    if (entries_.size() >= 2 * settled_ + unsorted_min)
      settle();
  }

  /// Adds what `other` holds, `times` times.
  void add(const value_multiset& other, std::int64_t times) {
    for (const auto& x : other.entries_)
      add(x.value, x.count * times);
  }

  /// Sorted by `Value::before`, each value once, no count is 0. Valid until the next change.
  [[nodiscard]] const std::vector<entry>& sorted() {
    settle();
    return entries_;
  }

  void clear() {
    *this = {};
  }

  /// Bytes on the heap.
  [[nodiscard]] std::size_t byte_size() const noexcept {
    return heap_ + entries_.capacity() * sizeof(entry);
  }

private:
  static constexpr std::size_t unsorted_min = 64;

  void settle() {
    if (settled_ == entries_.size())
      return;
    const auto before = [](const entry& a, const entry& b) { return a.value.before(b.value); };
    const auto fresh = entries_.begin() + static_cast<std::ptrdiff_t>(settled_);
    std::sort(fresh, entries_.end(), before);
    std::inplace_merge(entries_.begin(), fresh, entries_.end(), before);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < entries_.size();) {
      auto end = i + 1;
      for (; end < entries_.size() && !entries_[i].value.before(entries_[end].value); ++end) {
        entries_[i].count += entries_[end].count;
        heap_ -= entries_[end].value.heap_bytes();
      }
      if (entries_[i].count == 0) {
        heap_ -= entries_[i].value.heap_bytes();
      } else {
        if (kept != i)
          entries_[kept] = std::move(entries_[i]);
        ++kept;
      }
      i = end;
    }
    entries_.resize(kept);
    settled_ = kept;
  }

  std::vector<entry> entries_;
  std::size_t settled_ = 0; ///< so many at the front are sorted, each value once
  std::size_t heap_ = 0;    ///< bytes that the values themselves have there
};

} // namespace ebb
