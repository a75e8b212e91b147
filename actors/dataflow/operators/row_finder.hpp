/// Finds kept rows by the hash of the whole row, so that a deletion need not look through all rows
/// of its key.
#pragma once

#include "actors/dataflow/operators/row_store.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace ebb {

/// Row numbers by 32-bit hashes, equal ones several times. Open addressing with linear probing; a
/// removed place is closed by what stands behind it.
class row_finder {
public:
  void insert(std::uint32_t hash, std::uint32_t row) {
    if ((size_ + 1) * 4 > places_.size() * 3)
      grow();
    auto at = home(hash);
    while (places_[at].row != row_store::no_row)
      at = next(at);
    places_[at] = {hash, row};
    ++size_;
  }

  /// The first row of this hash for which `wanted(row)` is true; no_row = none.
  template <class Wanted>
  [[nodiscard]] std::uint32_t find(std::uint32_t hash, const Wanted& wanted) const {
    if (places_.empty())
      return row_store::no_row;
    for (auto at = home(hash); places_[at].row != row_store::no_row; at = next(at))
      if (places_[at].hash == hash && wanted(places_[at].row))
        return places_[at].row;
    return row_store::no_row;
  }

  /// The row must be there.
  void erase(std::uint32_t hash, std::uint32_t row) {
    auto gap = place_of(hash, row);
    --size_;
    for (auto at = next(gap); places_[at].row != row_store::no_row; at = next(at)) {
      // What may stand at the gap moves there: its home is not behind it.
      if (((at - home(places_[at].hash)) & mask()) < ((at - gap) & mask()))
        continue;
      places_[gap] = places_[at];
      gap = at;
    }
    places_[gap] = {};
  }

  /// The row has another number.
  void renumber(std::uint32_t hash, std::uint32_t from, std::uint32_t to) {
    places_[place_of(hash, from)].row = to;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return places_.capacity() * sizeof(place);
  }

private:
  struct place {
    std::uint32_t hash = 0;
    std::uint32_t row = row_store::no_row;
  };

  [[nodiscard]] std::size_t mask() const noexcept {
    return places_.size() - 1;
  }

  // The hashes' low bits are also those of the keys' tables; the high ones are mixed in.
  [[nodiscard]] std::size_t home(std::uint32_t hash) const noexcept {
    return (hash * std::uint64_t{0x9e3779b97f4a7c15} >> 32) & mask();
  }

  [[nodiscard]] std::size_t next(std::size_t at) const noexcept {
    return (at + 1) & mask();
  }

  [[nodiscard]] std::size_t place_of(std::uint32_t hash, std::uint32_t row) const {
    EBB_ASSERT(!places_.empty());
    auto at = home(hash);
    while (places_[at].row != row) {
      EBB_ASSERT(places_[at].row != row_store::no_row);
      at = next(at);
    }
    return at;
  }

  void grow() {
    const auto old = std::move(places_);
    places_.assign(std::max<std::size_t>(16, old.size() * 2), place{});
    size_ = 0;
    for (const auto& x : old)
      if (x.row != row_store::no_row)
        insert(x.hash, x.row);
  }

  std::vector<place> places_; ///< a power of two
  std::size_t size_ = 0;
};

} // namespace ebb
