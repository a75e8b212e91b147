/// The rows of one partition that can still be among the first, and their order.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// What ranks rows: order, kind and limit. Shared by all partitions of an operator.
struct ranking {
  row_order order;
  rank_kind kind = rank_kind::row_number;
  std::int64_t limit = 1;
};

/// Row numbers of a store (which rises in the order of arrival) with their order prefixes.
struct ranked_row {
  std::uint64_t prefix = 0;
  std::uint32_t row = row_store::no_row;
};

/// Orders by the sort keys, then by arrival.
class ranked_less {
public:
  ranked_less(const ranking& by, const row_store& rows) : by_(by), rows_(rows) {}

  [[nodiscard]] bool operator()(const ranked_row& a, const ranked_row& b) const {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    const int order = by_.order.compare(rows_, a.row, rows_, b.row);
    return order != 0 ? order < 0 : a.row < b.row;
  }

private:
  const ranking& by_;
  const row_store& rows_;
};

/// Rank of each row as rows come in order.
class rank_counter {
public:
  explicit rank_counter(const ranking& by) : by_(&by) {}

  [[nodiscard]] std::int64_t next(const row_store& rows, std::uint32_t row);

private:
  const ranking* by_;
  std::uint32_t last_ = row_store::no_row;
  std::int64_t number_ = 0;
  std::int64_t rank_ = 0;
  std::int64_t dense_ = 0;
};

/// One partition's candidates. Once there are enough, rows behind the last that ranks are refused.
class ranked_rows {
public:
  /// Whether row i of a batch can be among the first.
  [[nodiscard]] bool accepts(const ranking& by, const row_store& rows, const batch& from,
                             std::uint32_t i, std::uint64_t prefix) const;

  void add(ranked_row row) {
    rows_.push_back(row);
  }

  /// Drops rows that no longer rank where there are many; their numbers are appended to `dropped`.
  void prune(const ranking& by, const row_store& rows, std::vector<std::uint32_t>& dropped);

  [[nodiscard]] std::vector<ranked_row>& rows() noexcept {
    return rows_;
  }

  [[nodiscard]] const std::vector<ranked_row>& rows() const noexcept {
    return rows_;
  }

  /// Says that the row numbers have changed (`rows()` was renumbered): which place the last one
  /// that ranks had is known by position.
  void renumbered() noexcept {
    if (full_)
      last_ = rows_[last_place_];
  }

private:
  std::vector<ranked_row> rows_;
  bool full_ = false; ///< rows behind `last_` do not rank
  ranked_row last_;
  std::size_t last_place_ = 0; ///< of `last_` in rows_
  std::size_t prune_at_ = 0;   ///< number of rows; 0 = not chosen yet
};

} // namespace ebb
