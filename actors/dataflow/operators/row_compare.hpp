/// SQL's order and equality of single values, and ORDER BY over stored rows.
#pragma once

#include "actors/dataflow/aggregate.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Three-way comparison of two values of one type, neither NULL: NaN equal to NaN and largest,
/// -0.0 = 0.0, numerics by value, text by bytes, intervals by their length with 30-day months,
/// arrays element by element (NULL elements last, as PostgreSQL sorts).
[[nodiscard]] int compare_values(const column& a, std::uint32_t i, const column& b,
                                 std::uint32_t k);

/// ORDER BY over rows of a store. Columns of array types compare through their stored form.
class row_order {
public:
  row_order() = default;
  row_order(std::vector<sort_key> keys, const std::vector<sql_type>& types);

  [[nodiscard]] bool empty() const noexcept {
    return keys_.empty();
  }

  /// Negative, zero or positive as row a comes before, with or after row b.
  [[nodiscard]] int compare(const row_store& a, std::uint32_t row_a, const row_store& b,
                            std::uint32_t row_b) const;

  [[nodiscard]] int compare(const batch& a, std::uint32_t row_a, const row_store& b,
                            std::uint32_t row_b) const;

  /// One word a row whose unsigned order agrees with the first sort key: prefix(a) < prefix(b)
  /// implies that a comes first; equal prefixes say nothing.
  void prefixes(const batch& x, std::uint64_t* out) const;
  [[nodiscard]] std::uint64_t prefix(const row_store& x, std::uint32_t row) const;

private:
  template <class ValueOfA>
  [[nodiscard]] int compare_with(ValueOfA value_of_a, const row_store& b,
                                 std::uint32_t row_b) const;

  std::vector<sort_key> keys_;
  std::vector<sql_type> types_;
};

} // namespace ebb
