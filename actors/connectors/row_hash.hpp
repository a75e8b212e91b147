/// A hash over the rows of a result that does not depend on their order or batches: the sum, over
/// rows, of a hash of the row's values. Two results with the same rows have the same sum.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Sums row hashes; reuses its scratch memory from batch to batch. Not thread-safe.
class row_hasher {
public:
  void add(const batch& rows);

  [[nodiscard]] std::uint64_t sum() const noexcept {
    return sum_;
  }

private:
  std::vector<std::uint64_t> hashes_;
  std::uint64_t sum_ = 0;
};

} // namespace ebb
