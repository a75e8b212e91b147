#include "actors/dataflow/operators/ranked_rows.hpp"

#include <algorithm>

namespace ebb {

std::int64_t rank_counter::next(const row_store& rows, std::uint32_t row) {
  ++number_;
  if (by_->kind == rank_kind::row_number)
    return number_;
  if (last_ == row_store::no_row || by_->order.compare(rows, last_, rows, row) != 0) {
    rank_ = number_;
    ++dense_;
  }
  last_ = row;
  return by_->kind == rank_kind::rank ? rank_ : dense_;
}

bool ranked_rows::accepts(const ranking& by, const row_store& rows, const batch& from,
                          std::uint32_t i, std::uint64_t prefix) const {
  if (!full_ || prefix < last_.prefix)
    return true;
  if (prefix > last_.prefix)
    return false;
  const int order = by.order.compare(from, i, rows, last_.row);
  // An equal row comes later, so it has a larger row number, but the same rank.
  return by.kind == rank_kind::row_number ? order < 0 : order <= 0;
}

void ranked_rows::prune(const ranking& by, const row_store& rows,
                        std::vector<std::uint32_t>& dropped) {
  if (by.limit >= INT64_MAX / 4)
    return;
  const auto limit = static_cast<std::size_t>(by.limit);
  if (rows_.size() < (prune_at_ == 0 ? limit * 2 + 2 : prune_at_))
    return;
  std::sort(rows_.begin(), rows_.end(), ranked_less(by, rows));
  rank_counter ranks(by);
  std::size_t kept = 0;
  std::int64_t last_rank = 0;
  for (; kept < rows_.size(); ++kept) {
    const auto rank = ranks.next(rows, rows_[kept].row);
    if (rank > by.limit)
      break;
    last_rank = rank;
  }
  for (auto i = kept; i < rows_.size(); ++i)
    dropped.push_back(rows_[i].row);
  // With ranks, as many rows as the limit fill it; dense ranks must have reached it.
  full_ = by.kind == rank_kind::dense_rank ? last_rank == by.limit : kept >= limit;
  rows_.resize(kept);
  last_place_ = kept - 1;
  last_ = rows_[last_place_];
  prune_at_ = std::max(kept, limit) * 2 + 2;
}

} // namespace ebb
