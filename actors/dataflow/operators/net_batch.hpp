/// The changes of one batch without those that take each other back.
#pragma once

#include "actors/dataflow/operators/row_compare.hpp"
#include "schemas/batch.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// Rows of a batch that are deleted and inserted, each as often as its weight says. Used again and
/// again by one operator.
class net_batch {
public:
  explicit net_batch(const std::vector<sql_type>& types);

  /// Looks at rows `picks` (null = all).
  void take(const batch& rows, const std::vector<std::uint32_t>* picks);

  [[nodiscard]] const std::vector<std::uint32_t>& deleted() const noexcept {
    return deleted_;
  }

  [[nodiscard]] const std::vector<std::uint32_t>& inserted() const noexcept {
    return inserted_;
  }

  /// A hash of each whole row, where one is deleted.
  [[nodiscard]] const std::vector<std::uint64_t>& row_hashes() const noexcept {
    return hashes_;
  }

  /// Hashes of whole rows by all their columns.
  void hash_rows(const batch& rows);

  /// Rows are equal as SQL's, NULL with NULL.
  [[nodiscard]] bool equal(const batch& rows, std::uint32_t i, const row_store& kept,
                           std::uint32_t row) const {
    return order_.compare(rows, i, kept, row) == 0;
  }

private:
  [[nodiscard]] bool equal_rows(const batch& rows, std::uint32_t a, std::uint32_t b) const;
  void cancel(const batch& rows);

  row_order order_; ///< all columns
  std::vector<std::uint32_t> deleted_;
  std::vector<std::uint32_t> inserted_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> heads_;
  std::vector<std::uint32_t> next_;
  std::vector<std::uint8_t> gone_;
};

} // namespace ebb
