/// The rows of each partition in order, by their numbers.
#pragma once

#include "actors/dataflow/operators/changelog_partitions.hpp"
#include "actors/dataflow/operators/ordered_ids.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebb {

/// By slot. Room is made before a list is used.
class partition_lists {
public:
  using row_list = ordered_ids<placed_row>;

  void make_room(std::size_t slots) {
    lists_.resize(std::max(lists_.size(), slots));
  }

  [[nodiscard]] row_list& operator[](std::uint32_t slot) noexcept {
    return lists_[slot];
  }

  [[nodiscard]] const row_list& operator[](std::uint32_t slot) const noexcept {
    return lists_[slot];
  }

  /// As rows are loaded: makes room.
  template <class Less>
  void insert(std::uint32_t slot, const placed_row& x, const Less& less) {
    if (slot >= lists_.size())
      lists_.resize(std::max<std::size_t>(slot + std::size_t{1}, lists_.size() * 2));
    lists_[slot].insert(x, less);
  }

  [[nodiscard]] std::size_t byte_size(std::uint64_t rows) const noexcept {
    return lists_.capacity() * (sizeof(row_list) + sizeof(std::uint32_t))
           + rows * (sizeof(placed_row) + 8);
  }

private:
  std::vector<row_list> lists_;
};

} // namespace ebb
