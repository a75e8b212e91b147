#include "actors/dataflow/operators/pane_finder.hpp"

#include <algorithm>

namespace ebb {

namespace {

// Up to this many panes between the first and the last of a batch are found by a table.
constexpr std::uint64_t distance_max = 8192;

} // namespace

void pane_finder::measure(const column& times) {
  const auto* values = times.data<micros>();
  least_ = max_time;
  largest_ = min_time;
  missing_ = times.has_nulls();
  if (!missing_) {
    for (std::uint32_t i = 0; i < times.rows; ++i) {
      least_ = std::min(least_, values[i]);
      largest_ = std::max(largest_, values[i]);
    }
    missing_ = times.rows != 0 && (least_ == min_time || largest_ == max_time);
  }
  if (!missing_)
    return;
  least_ = max_time;
  largest_ = min_time;
  for (std::uint32_t i = 0; i < times.rows; ++i) {
    if (times.is_null(i) || is_infinite(values[i]))
      continue;
    least_ = std::min(least_, values[i]);
    largest_ = std::max(largest_, values[i]);
  }
}

error pane_finder::name_unfit(const column& times) const {
  const auto* values = times.data<micros>();
  std::uint32_t row = 0;
  while ((missing_ && (times.is_null(row) || is_infinite(values[row])))
         || slicer_.fits(slicer_.pane_of(values[row])))
    ++row;
  return out_of_range(row);
}

result<void> pane_finder::start(const batch& rows, micros given) {
  rows_ = &rows;
  used_ = 0;
  by_id_.clear();
  by_distance_.clear();
  current_ = no_pane;
  current_start_ = current_end_ = 0;
  times_ = nullptr;
  missing_ = false;
  if (source_.end >= 0)
    return {};
  if (source_.time < 0) {
    current_ = add(slicer_.pane_of(given));
    return {};
  }
  const auto& times = rows.columns[static_cast<std::size_t>(source_.time)];
  times_ = times.data<micros>();
  measure(times);
  if (least_ > largest_)
    return {};
  first_ = slicer_.pane_of(least_);
  const auto last = slicer_.pane_of(largest_);
  // The windows of all other rows lie between those of the two.
  if (!slicer_.fits(first_) || !slicer_.fits(last)) [[unlikely]]
    return name_unfit(times);
  width_ = static_cast<std::uint64_t>(first_.end) - static_cast<std::uint64_t>(first_.start);
  const auto distance =
      (static_cast<std::uint64_t>(last.start) - static_cast<std::uint64_t>(first_.start)) / width_;
  if (distance < distance_max)
    by_distance_.assign(distance + 1, no_pane);
  return {};
}

std::uint32_t pane_finder::only_pane() {
  if (rows_->rows == 0 || missing_)
    return no_pane;
  if (source_.end >= 0) {
    const auto first = find_untimed(0);
    for (std::uint32_t i = 1; i < rows_->rows; ++i)
      if (find_untimed(i) != first)
        return no_pane;
    return first;
  }
  if (times_ == nullptr)
    return current_;
  return slicer_.pane_of(least_) == slicer_.pane_of(largest_) ? find(0) : no_pane;
}

std::uint32_t pane_finder::find_untimed(std::uint32_t i) {
  if (source_.end < 0)
    return current_;
  const auto& ends = rows_->columns[static_cast<std::size_t>(source_.end)];
  if (ends.is_null(i))
    return no_pane;
  pane_id pane{ends.data<micros>()[i], min_time};
  if (source_.start >= 0) {
    const auto& starts = rows_->columns[static_cast<std::size_t>(source_.start)];
    if (!starts.is_null(i))
      pane.start = starts.data<micros>()[i];
  }
  if (current_ != no_pane && pool_[current_].pane == pane)
    return current_;
  return current_ = find_by_id(pane);
}

std::uint32_t pane_finder::find_by_id(const pane_id& pane) {
  const auto known = by_id_.find(pane);
  if (known != by_id_.end())
    return known->second;
  const auto made = add(pane);
  by_id_.emplace(pane, made);
  return made;
}

std::uint32_t pane_finder::find_other(std::uint32_t i) {
  const auto time = times_[i];
  if (missing_
      && (rows_->columns[static_cast<std::size_t>(source_.time)].is_null(i) || is_infinite(time)))
    return no_pane;
  std::uint32_t found = no_pane;
  if (by_distance_.empty()) {
    found = find_by_id(slicer_.pane_of(time));
  } else {
    const auto distance =
        (static_cast<std::uint64_t>(time) - static_cast<std::uint64_t>(first_.start)) / width_;
    auto& known = by_distance_[distance];
    if (known == no_pane) {
      const auto shift = static_cast<micros>(distance * width_);
      known = add({first_.end + shift, first_.start + shift});
    }
    found = known;
  }
  current_ = found;
  if (!missing_) {
    current_start_ = pool_[found].pane.start;
    current_end_ = pool_[found].pane.end;
  }
  return found;
}

std::uint32_t pane_finder::add(const pane_id& pane) {
  if (used_ == pool_.size())
    pool_.emplace_back();
  auto& x = pool_[used_];
  x.pane = pane;
  x.picks.clear();
  const auto last = slicer_.last_end(pane);
  x.covered = last.has_value();
  x.last_end = last.value_or(max_time);
  x.first_end = slicer_.next_end(pane, min_time).value_or(max_time);
  return static_cast<std::uint32_t>(used_++);
}

} // namespace ebb
