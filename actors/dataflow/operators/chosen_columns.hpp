/// Columns as hashing and look-ups take them.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// Valid as long as the columns stay where they are.
[[nodiscard]] inline std::vector<const column*> pointers_to(std::span<const column> columns) {
  std::vector<const column*> result;
  result.reserve(columns.size());
  for (const auto& x : columns)
    result.push_back(&x);
  return result;
}

/// To the key columns of a batch.
[[nodiscard]] inline std::vector<const column*> key_columns(const batch& x,
                                                            std::span<const std::uint32_t> keys) {
  std::vector<const column*> result;
  result.reserve(keys.size());
  for (const auto k : keys)
    result.push_back(&x.columns[k]);
  return result;
}

/// The types of some columns.
[[nodiscard]] inline std::vector<sql_type> types_of(std::span<const sql_type> columns,
                                                    std::span<const std::uint32_t> numbers) {
  std::vector<sql_type> result;
  result.reserve(numbers.size());
  for (const auto k : numbers)
    result.push_back(columns[k]);
  return result;
}

} // namespace ebb
