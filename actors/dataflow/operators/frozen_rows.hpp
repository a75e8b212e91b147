/// The rows of a store that a save writes piece by piece, while others are appended.
#pragma once

#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Rows with sequences [first, those given out so far), in the order of their numbers. No chunk may
/// be dropped meanwhile; rows may be loaded, with smaller sequences.
class frozen_rows {
public:
  /// Looks at each chunk once.
  void start(const row_store& rows, std::uint64_t first) {
    first_ = first;
    end_ = rows.next_sequence();
    place_ = 0;
    chunk_ = 0;
    skip(rows);
  }

  /// Appends up to `most` rows; false = there are no more.
  [[nodiscard]] bool take(const row_store& rows, std::uint32_t most,
                          std::vector<std::uint32_t>& out) {
    for (std::uint32_t looked = 0; chunk_ < rows.chunk_count(); ++chunk_, place_ = 0, skip(rows))
      for (; place_ < rows.rows_in(chunk_); ++place_) {
        if (looked++ == most)
          return true;
        const auto row = rows.row_at(chunk_, place_);
        if (const auto sequence = rows.sequence_of(row); sequence >= first_ && sequence < end_)
          out.push_back(row);
      }
    return false;
  }

private:
  // Chunks all of whose rows are older.
  void skip(const row_store& rows) {
    while (first_ != 0 && chunk_ < rows.chunk_count() && rows.newest_in(chunk_) < first_)
      ++chunk_;
  }

  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  std::uint32_t chunk_ = 0;
  std::uint32_t place_ = 0;
};

} // namespace ebb
