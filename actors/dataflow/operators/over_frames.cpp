// Where frames begin and end, and the functions of an OVER clause that add nothing up.
#include "actors/dataflow/operators/interval_bounds.hpp"
#include "actors/dataflow/operators/net_changes.hpp"
#include "actors/dataflow/operators/over_calls.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

using kind = over_call::kind;

// Gathers rows of a column; no_row gives NULL.
column gather_or_null(const row_store& rows, std::size_t k, std::vector<std::uint32_t> numbers) {
  std::vector<std::uint32_t> absent;
  std::uint32_t present = row_store::no_row;
  for (std::uint32_t i = 0; i < numbers.size(); ++i) {
    if (numbers[i] == row_store::no_row)
      absent.push_back(i);
    else
      present = numbers[i];
  }
  const auto count = static_cast<std::uint32_t>(numbers.size());
  if (present == row_store::no_row)
    return make_null_column(rows.types()[k], count);
  for (const auto i : absent)
    numbers[i] = present;
  auto result = rows.gather(k, numbers.data(), count);
  for (const auto i : absent)
    set_null(result, i);
  return result;
}

// As gather_or_null; where there is no row, column `other` of the row at that place.
column gather_or_other(const row_store& rows, std::size_t k, std::size_t other,
                       const std::vector<std::uint32_t>& numbers,
                       const std::vector<std::uint32_t>& places) {
  std::vector<std::uint32_t> there;
  std::vector<std::uint32_t> absent;
  std::vector<std::uint32_t> order(numbers.size());
  for (std::uint32_t i = 0; i < numbers.size(); ++i)
    (numbers[i] == row_store::no_row ? absent : there).push_back(i);
  for (std::uint32_t i = 0; i < there.size(); ++i)
    order[there[i]] = i;
  for (std::uint32_t i = 0; i < absent.size(); ++i)
    order[absent[i]] = static_cast<std::uint32_t>(there.size()) + i;
  const auto count = static_cast<std::uint32_t>(numbers.size());
  auto others = rows.gather(other, places.data(), count);
  auto values = gather_or_null(rows, k, numbers);
  others.type = values.type;
  const auto both = deleted_and_inserted(values, there, others, absent);
  return gather(both, order.data(), count);
}

} // namespace

void over_calls::frame_starts(const frame_spec& frame, const over_block& block,
                              const row_store& rows, std::vector<std::uint32_t>& starts) const {
  starts.resize(block.size());
  std::uint32_t start = 0;
  for (std::uint32_t place = 0; place < block.size(); ++place) {
    const auto at = reach_.at[place];
    const auto lowest = reach_.start[place];
    if (frame.unbounded) {
      starts[place] = lowest;
    } else if (!frame.range) {
      const auto back = std::min<std::int64_t>(frame.preceding, at - lowest);
      const auto on = std::min<std::int64_t>(-frame.preceding, reach_.end[place] - at);
      starts[place] = frame.preceding >= 0 ? at - static_cast<std::uint32_t>(back)
                                           : at + static_cast<std::uint32_t>(on);
    } else if (frame.preceding == 0 || rows.is_null(order_.column, block.rows[place])) {
      starts[place] = at - (place - block.group_first[place]);
    } else {
      // The order rises within a partition, so the start only moves on.
      const auto value = rows.value<micros>(order_.column, block.rows[place]);
      const auto from = moved(value, order_.descending ? frame.preceding : -frame.preceding);
      start = std::max(start, lowest);
      while (start < reach_.end[place] && value_before(rows, reach_.rows[start], from, false))
        ++start;
      starts[place] = start;
    }
  }
}

void over_calls::frame_ends(const frame_spec& frame, const over_block& block, const row_store& rows,
                            std::vector<std::uint32_t>& ends) const {
  ends.resize(block.size());
  std::uint32_t end = 0;
  for (std::uint32_t place = 0; place < block.size(); ++place) {
    const auto at = reach_.at[place];
    if (frame.to_last) {
      ends[place] = reach_.end[place];
    } else if (!frame.range) {
      const auto on = std::min<std::int64_t>(frame.following, reach_.end[place] - at - 1);
      const auto back = std::min<std::int64_t>(-frame.following, at + 1 - reach_.start[place]);
      ends[place] = frame.following >= 0 ? at + 1 + static_cast<std::uint32_t>(on)
                                         : at + 1 - static_cast<std::uint32_t>(back);
    } else if (frame.following == 0 || rows.is_null(order_.column, block.rows[place])) {
      ends[place] = at + (block.group_last[place] - place) + 1;
    } else {
      const auto value = rows.value<micros>(order_.column, block.rows[place]);
      const auto to = moved(value, order_.descending ? -frame.following : frame.following);
      end = std::max(end, reach_.start[place]);
      while (end < reach_.end[place] && value_before(rows, reach_.rows[end], to, true))
        ++end;
      ends[place] = end;
    }
  }
}

// Times that are infinite stay so; the bound of whole numbers may lie beyond all of them.
over_calls::range_bound over_calls::moved(std::int64_t value, std::int64_t by) const {
  if (!by_numbers_)
    return {add_time(value, by), 0};
  range_bound bound;
  if (__builtin_add_overflow(value, by, &bound.value))
    bound.beyond = by > 0 ? 1 : -1;
  return bound;
}

// Whether the row comes before rows with that value, or (or_equal) is one of them.
bool over_calls::value_before(const row_store& rows, std::uint32_t row, range_bound bound,
                              bool or_equal) const {
  if (rows.is_null(order_.column, row))
    return order_.nulls_first;
  if (bound.beyond != 0)
    return (bound.beyond > 0) != order_.descending;
  const auto value = bound.value;
  const auto x = rows.value<std::int64_t>(order_.column, row);
  return (or_equal && x == value) || (order_.descending ? x > value : x < value);
}

// Place of the last row of each frame that begins with the first row; the block's size: no row.
std::vector<std::uint32_t> over_calls::last_places(const frame_spec& frame, const over_block& block,
                                                   const row_store& rows) const {
  if (!frame.to_last && frame.following == 0 && frame.range)
    return block.group_last;
  std::vector<std::uint32_t> places(block.size());
  std::iota(places.begin(), places.end(), 0U);
  if (!frame.to_last && frame.following == 0)
    return places;
  std::vector<std::uint32_t> ends;
  frame_ends(frame, block, rows, ends);
  for (std::uint32_t i = 0; i < places.size(); ++i)
    places[i] = ends[i] == reach_.start[i] ? block.size() : places[i] + ends[i] - 1 - reach_.at[i];
  return places;
}

// Place of the first row of each frame that ends with the last row.
std::vector<std::uint32_t> over_calls::first_places(const frame_spec& frame,
                                                    const over_block& block,
                                                    const row_store& rows) const {
  std::vector<std::uint32_t> places;
  frame_starts(frame, block, rows, places);
  for (std::uint32_t i = 0; i < places.size(); ++i)
    places[i] = places[i] == reach_.end[i] ? block.size() : i + places[i] - reach_.at[i];
  return places;
}

column over_calls::numbers(const over_call& call, const over_block& block,
                           const std::vector<over_partition>& partitions) const {
  auto result = make_column(sql_type{type_kind::bigint}, block.size());
  auto* to = result.mutable_data<std::int64_t>();
  for (const auto& run : block.runs) {
    const auto& before = partitions[run.slot];
    auto groups = before.peer_groups;
    for (auto place = run.first; place < run.first + run.count; ++place) {
      groups += block.group_first[place] == place ? 1 : 0;
      if (call.what == kind::row_number)
        to[place] = before.rows + 1 + (place - run.first);
      else if (call.what == kind::rank)
        to[place] = before.rows + 1 + (block.group_first[place] - run.first);
      else
        to[place] = groups;
    }
  }
  return result;
}

// percent_rank and cume_dist.
column over_calls::shares(const over_call& call, const over_block& block) {
  auto result = make_column(sql_type{type_kind::double_precision}, block.size());
  auto* to = result.mutable_data<double>();
  for (const auto& run : block.runs)
    for (auto place = run.first; place < run.first + run.count; ++place) {
      if (call.what == kind::cume_dist)
        to[place] = static_cast<double>(block.group_last[place] + 1 - run.first)
                    / static_cast<double>(run.count);
      else
        to[place] = run.count == 1 ? 0.0
                                   : static_cast<double>(block.group_first[place] - run.first)
                                         / static_cast<double>(run.count - 1);
    }
  return result;
}

// The first tiles have one row more where rows do not divide.
column over_calls::tiles(const over_call& call, const over_block& block) {
  auto result = make_column(sql_type{type_kind::integer}, block.size());
  auto* to = result.mutable_data<std::int32_t>();
  for (const auto& run : block.runs) {
    const auto each = run.count / call.distance;
    const auto larger = run.count % call.distance;
    for (std::int64_t i = 0; i < run.count; ++i) {
      const auto in_larger = larger * (each + 1);
      const auto tile = i < in_larger ? i / (each + 1) : larger + (i - in_larger) / each;
      to[run.first + i] = static_cast<std::int32_t>(tile + 1);
    }
  }
  return result;
}

column over_calls::values(const over_call& call, const over_block& block, const row_store& rows,
                          const std::vector<over_partition>& partitions) const {
  std::vector<std::uint32_t> from(block.size(), row_store::no_row);
  const bool ends_here = !call.frame.to_last && call.frame.following == 0;
  if (call.what == kind::lag || call.what == kind::lead) {
    for (std::uint32_t place = 0; place < block.size(); ++place) {
      const auto at = reach_.at[place];
      if (call.what == kind::lag && call.distance <= at - reach_.start[place])
        from[place] = reach_.rows[at - static_cast<std::size_t>(call.distance)];
      if (call.what == kind::lead && call.distance < reach_.end[place] - at)
        from[place] = reach_.rows[at + static_cast<std::size_t>(call.distance)];
    }
    if (call.call.args.size() > 1)
      return gather_or_other(rows, call.call.args[0], call.call.args[1], from, block.rows);
  } else if (call.what == kind::last_value && ends_here && call.frame.preceding >= 0) {
    for (std::uint32_t place = 0; place < block.size(); ++place)
      from[place] = block.rows[call.frame.range ? block.group_last[place] : place];
  } else if (call.what == kind::first_value && call.frame.unbounded && ends_here) {
    for (const auto& run : block.runs) {
      const auto& before = partitions[run.slot];
      const auto first = before.first == row_store::no_row ? block.rows[run.first] : before.first;
      std::fill_n(from.begin() + run.first, run.count, first);
    }
  } else {
    std::vector<std::uint32_t> starts;
    std::vector<std::uint32_t> ends;
    frame_starts(call.frame, block, rows, starts);
    frame_ends(call.frame, block, rows, ends);
    for (std::uint32_t place = 0; place < block.size(); ++place) {
      const auto nth = call.what == kind::last_value    ? ends[place] - std::int64_t{1}
                       : call.what == kind::first_value ? starts[place]
                                                        : starts[place] + call.distance - 1;
      if (nth >= starts[place] && nth < ends[place])
        from[place] = reach_.rows[static_cast<std::size_t>(nth)];
    }
  }
  return gather_or_null(rows, call.call.args.front(), std::move(from));
}

} // namespace ebb
