/// Pairs of a left and a right row: checking them (key equality, residual condition) and making the
/// joined rows.
#pragma once

#include "actors/dataflow/expr.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ebb {

/// Candidate or joined pairs, row numbers of the two stores.
struct row_pairs {
  std::vector<std::uint32_t> left;
  std::vector<std::uint32_t> right;

  void add(std::uint32_t l, std::uint32_t r) {
    left.push_back(l);
    right.push_back(r);
  }

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(left.size());
  }

  void clear() {
    left.clear();
    right.clear();
  }
};

/// How one join makes its output. Used by one thread.
class join_pairs {
public:
  join_pairs(std::vector<sql_type> left_types, std::vector<sql_type> right_types,
             std::span<const std::uint32_t> left_keys, std::span<const std::uint32_t> right_keys,
             expr_ptr residual, std::string name);

  /// Keeps the pairs whose keys are equal; none may be NULL. For pairs that were found by hash.
  void keep_equal(const row_store& left, const row_store& right, row_pairs& pairs) const;

  /// Keeps the pairs for which the residual condition is true.
  [[nodiscard]] result<void> keep_matching(const row_store& left, const row_store& right,
                                           row_pairs& pairs);

  /// Rows of one side's chunk that match one row of the other side: places, ascending, written to
  /// `places` (room for the chunk's rows); returns how many. `chunk_is_left` says which side the
  /// chunk is of.
  [[nodiscard]] result<std::uint32_t> match_chunk(const row_store& chunk_side, std::uint32_t chunk,
                                                  const row_store& row_side, std::uint32_t row,
                                                  bool chunk_is_left, std::uint32_t* places);

  [[nodiscard]] bool has_residual() const noexcept {
    return static_cast<bool>(residual_);
  }

  /// Joined rows, left columns before right ones.
  [[nodiscard]] batch_ptr make(const row_store& left, const row_store& right,
                               std::span<const std::uint32_t> left_rows,
                               std::span<const std::uint32_t> right_rows) const;

  [[nodiscard]] batch_ptr make(const row_store& left, const row_store& right,
                               const row_pairs& pairs) const {
    return make(left, right, pairs.left, pairs.right);
  }

  /// Rows of one side with NULLs for the other.
  [[nodiscard]] batch_ptr make_left_only(const row_store& left,
                                         std::span<const std::uint32_t> rows) const;
  [[nodiscard]] batch_ptr make_right_only(const row_store& right,
                                          std::span<const std::uint32_t> rows) const;
  /// The same for rows of a batch (picks ascending).
  [[nodiscard]] batch_ptr pad(const batch& rows, std::span<const std::uint32_t> picks,
                              bool rows_are_left) const;

private:
  std::vector<sql_type> left_types_;
  std::vector<sql_type> right_types_;
  std::vector<std::uint32_t> left_keys_;
  std::vector<std::uint32_t> right_keys_;
  expr_ptr residual_;                 ///< over `needed_` only
  std::vector<std::uint32_t> needed_; ///< joined columns that the residual reads
  std::string name_;
  std::vector<std::uint32_t> picks_;
};

} // namespace ebb
