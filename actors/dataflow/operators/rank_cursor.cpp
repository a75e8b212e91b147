#include "actors/dataflow/operators/rank_cursor.hpp"

#include <algorithm>

namespace ebb {

namespace {

// Larger partitions are ordered by a heap, a row at a time, so that no step sorts for long.
constexpr std::size_t most_sorted = 16'384;

} // namespace

rank_cursor::rank_cursor(const ranked_window& window, const ranking& by)
    : window_(window), by_(by), ranks_(by) {}

bool rank_cursor::next(std::uint32_t& row, std::int64_t& rank) {
  for (;;) {
    if (!open_ && !open())
      return false;
    if (at_ == order_.size()) {
      close();
      continue;
    }
    row = pop();
    rank = ranks_.next(window_.rows, row);
    if (rank > by_.limit) {
      close();
      continue;
    }
    ++emitted_;
    if (emitted_ > window_.partitions[partition_].emitted)
      return true;
  }
}

std::uint64_t rank_cursor::emitted() const noexcept {
  if (partition_ == window_.partitions.size())
    return 0;
  const auto before = window_.partitions[partition_].emitted;
  return open_ ? std::max(emitted_, before) : before;
}

bool rank_cursor::open() {
  if (partition_ == window_.partitions.size())
    return false;
  order_ = window_.partitions[partition_].rows.rows();
  heap_ = order_.size() > most_sorted;
  if (heap_)
    std::make_heap(order_.begin(), order_.end(), later{ranked_less(by_, window_.rows)});
  else
    std::sort(order_.begin(), order_.end(), ranked_less(by_, window_.rows));
  at_ = 0;
  emitted_ = 0;
  ranks_ = rank_counter(by_);
  open_ = true;
  return true;
}

std::uint32_t rank_cursor::pop() {
  if (!heap_)
    return order_[at_++].row;
  std::pop_heap(order_.begin(), order_.end(), later{ranked_less(by_, window_.rows)});
  const auto row = order_.back().row;
  order_.pop_back();
  return row;
}

void rank_cursor::close() noexcept {
  ++partition_;
  open_ = false;
}

} // namespace ebb
