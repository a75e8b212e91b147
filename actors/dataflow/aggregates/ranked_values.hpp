/// The values of a multiset by rank. Internal to the folder.
#pragma once

#include "actors/dataflow/aggregates/value_multiset.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// The values of a group by rank, from either end.
template <class Value>
class ranked_values {
public:
  using entry = typename value_multiset<Value>::entry;

  ranked_values(std::span<const entry> sorted, bool descending)
      : sorted_(sorted), descending_(descending) {
    ends_.reserve(sorted.size());
    for (const auto& x : sorted) {
      size_ += std::max<std::int64_t>(0, x.count);
      ends_.push_back(size_);
    }
  }

  [[nodiscard]] std::int64_t size() const noexcept {
    return size_;
  }

  /// The value that has `rank` values before it; 0 ≤ rank < size.
  [[nodiscard]] const Value& at(std::int64_t rank) const {
    EBB_ASSERT(rank >= 0 && rank < size_);
    const auto from_front = descending_ ? size_ - 1 - rank : rank;
    const auto found = std::upper_bound(ends_.begin(), ends_.end(), from_front);
    return sorted_[static_cast<std::size_t>(found - ends_.begin())].value;
  }

  /// The value that occurs most often, the first of several; size > 0.
  [[nodiscard]] const Value& most_frequent() const {
    const auto count = sorted_.size();
    const auto nth = [&](std::size_t i) -> const entry& {
      return sorted_[descending_ ? count - 1 - i : i];
    };
    const entry* best = nullptr;
    std::int64_t best_count = 0;
    for (std::size_t i = 0; i < count;) {
      const entry* first = nullptr;
      std::int64_t together = 0;
      const auto& begin = nth(i).value;
      for (; i < count && nth(i).value.equals(begin); ++i) {
        if (nth(i).count > 0 && first == nullptr)
          first = &nth(i);
        together += std::max<std::int64_t>(0, nth(i).count);
      }
      if (together > best_count) {
        best = first;
        best_count = together;
      }
    }
    EBB_ASSERT(best != nullptr);
    return best->value;
  }

private:
  std::span<const entry> sorted_;
  std::vector<std::int64_t> ends_; ///< rank behind the last of each entry's values
  std::int64_t size_ = 0;
  bool descending_;
};

} // namespace ebb
