#include "actors/dataflow/operators/over_layout.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::size_t rows_of(std::int64_t extent) noexcept {
  return static_cast<std::size_t>(extent);
}

} // namespace

void over_layout::add(const row_list& list, std::span<const placed_row> there,
                      std::span<const placed_row> absent, over_rows& to) {
  if (list.empty())
    return;
  intervals_.clear();
  if (extent_.felt_before == over_extent::all && extent_.felt_after == over_extent::all) {
    intervals_.push_back({0, list.size()});
  } else {
    add_intervals(list, there, true);
    add_intervals(list, absent, false);
    std::sort(intervals_.begin(), intervals_.end(),
              [](const interval& a, const interval& b) { return a.first < b.first; });
  }
  auto wanted = intervals_.front();
  for (std::size_t i = 1; i < intervals_.size(); ++i) {
    if (loaded_for(list, intervals_[i]).first <= loaded_for(list, wanted).last) {
      wanted.last = std::max(wanted.last, intervals_[i].last);
      continue;
    }
    add_run(list, wanted, to);
    wanted = intervals_[i];
  }
  add_run(list, wanted, to);
}

void over_layout::add_intervals(const row_list& list, std::span<const placed_row> changed,
                                bool there) {
  if (changed.empty())
    return;
  // Without bounds the outermost ones tell all.
  if (extent_.felt_after == over_extent::all)
    intervals_.push_back(felt_by(list, changed.front(), there));
  else if (extent_.felt_before == over_extent::all)
    intervals_.push_back(felt_by(list, changed.back(), there));
  else
    for (const auto& x : changed)
      intervals_.push_back(felt_by(list, x, there));
}

// Positions whose results may have changed around a row that is there, or would be.
over_layout::interval over_layout::felt_by(const row_list& list, const placed_row& x,
                                           bool there) const {
  interval felt;
  if (extent_.by_peers) {
    felt.first = list.position(
        [&](const placed_row& y) { return peers_.compare(rows_, y.row, rows_, x.row) < 0; });
    felt.last = list.position(
        [&](const placed_row& y) { return peers_.compare(rows_, y.row, rows_, x.row) <= 0; });
  } else {
    const placed_less less{order_, rows_};
    felt.first = list.position([&](const placed_row& y) { return less(y, x); });
    felt.last = felt.first + (there ? 1 : 0);
  }
  felt.first -= std::min(felt.first, rows_of(extent_.felt_before));
  felt.last = std::min(list.size(), felt.last + rows_of(extent_.felt_after));
  return felt;
}

// Where peers count, all of the list, so that none are cut.
over_layout::interval over_layout::loaded_for(const row_list& list, const interval& wanted) const {
  if (extent_.by_peers)
    return {0, list.size()};
  return {wanted.first - std::min(wanted.first, rows_of(extent_.needs_before)),
          std::min(list.size(), wanted.last + rows_of(extent_.needs_after))};
}

void over_layout::add_run(const row_list& list, const interval& wanted, over_rows& to) const {
  if (wanted.first == wanted.last)
    return; // of rows that come at the end, say, nothing was there
  const auto loaded = loaded_for(list, wanted);
  auto& block = to.block;
  const auto first = block.size();
  list.each_of(loaded.first, loaded.last, [&](const placed_row& x) {
    block.rows.push_back(x.row);
    to.prefixes.push_back(x.prefix);
  });
  block.runs.push_back({static_cast<std::uint32_t>(block.runs.size()), first,
                        static_cast<std::uint32_t>(loaded.last - loaded.first)});
  const auto place = [&](std::size_t position) {
    return first + static_cast<std::uint32_t>(position - loaded.first);
  };
  to.wanted.push_back(
      {place(wanted.first), place(wanted.last), loaded.first != 0 || loaded.last != list.size()});
  block.group_first.resize(block.size());
  block.group_last.resize(block.size());
  for (auto i = first; i < block.size(); ++i) {
    const bool peer = extent_.by_peers && i != first
                      && peers_.compare(rows_, block.rows[i - 1], rows_, block.rows[i]) == 0;
    block.group_first[i] = peer ? block.group_first[i - 1] : i;
  }
  for (auto i = block.size(); i-- > first;) {
    const bool last = i + 1 == block.size() || block.group_first[i + 1] == i + 1;
    block.group_last[i] = last ? i : block.group_last[i + 1];
  }
}

} // namespace ebb
