#include "actors/dataflow/operators/window_rows.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

void window_rows::split(const batch& x, std::int64_t start_column, std::uint32_t end_column) {
  used_ = 0;
  no_window_.clear();
  const auto& ends = x.columns[end_column];
  const auto& starts = start_column < 0 ? ends : x.columns[static_cast<std::size_t>(start_column)];
  const auto* end = ends.data<micros>();
  const auto* start = starts.data<micros>();
  if (ends.has_nulls() || starts.has_nulls()) {
    for (std::uint32_t i = 0; i < x.rows; ++i) {
      if (ends.is_null(i) || starts.is_null(i))
        no_window_.push_back(i);
      else
        group_of(start[i], end[i]).rows.push_back(i);
    }
    return;
  }
  for (std::uint32_t i = 0; i < x.rows;) {
    // Mostly all rows of a batch are of one window.
    std::uint32_t stop = i + 1;
    while (stop < x.rows && end[stop] == end[i] && start[stop] == start[i])
      ++stop;
    auto& rows = group_of(start[i], end[i]).rows;
    const auto before = rows.size();
    rows.resize(before + (stop - i));
    std::iota(rows.begin() + static_cast<std::ptrdiff_t>(before), rows.end(), i);
    i = stop;
  }
}

window_rows::group& window_rows::group_of(micros start, micros end) {
  // The latest groups first: rows of one window lie close together, and few windows are open.
  for (auto g = used_; g-- > 0;)
    if (groups_[g].end == end && groups_[g].start == start)
      return groups_[g];
  if (used_ == groups_.size())
    groups_.emplace_back();
  auto& fresh = groups_[used_++];
  fresh.start = start;
  fresh.end = end;
  fresh.rows.clear();
  return fresh;
}

std::uint64_t hash_of_time(micros time, const sql_type& type) {
  auto key = make_column(type, 1);
  key.mutable_data<micros>()[0] = time;
  const column* keys[] = {&key};
  std::uint64_t hash = 0;
  hash_keys(keys, 1, &hash);
  return hash;
}

} // namespace ebb
