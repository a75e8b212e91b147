/// Rows picked from several batches, written into one batch as they come: a copy less than picking
/// them apart and joining the picks.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>

namespace ebb {

class row_gatherer {
public:
  /// True for batches of plain values: fixed width, no NULLs, all with weight +1 and on time. What
  /// is taken together must have the same columns and hashes, or none.
  [[nodiscard]] static bool takes(const batch& rows);

  /// Room for so many rows, taken with the first of them.
  explicit row_gatherer(std::uint32_t room) : room_(room) {}

  [[nodiscard]] std::uint32_t rows() const noexcept {
    return made_.rows;
  }

  /// `count` rows, for which there must be room. `hashes` are those of all rows, or null.
  void add(const batch& rows, const buffer_ptr& hashes, const std::uint32_t* picks,
           std::uint32_t count);

  /// What has been added; empties the gatherer.
  [[nodiscard]] batch_ptr take();

private:
  std::uint32_t room_;
  batch made_;
};

} // namespace ebb
