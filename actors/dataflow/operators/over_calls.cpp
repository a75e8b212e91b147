#include "actors/dataflow/operators/over_calls.hpp"

#include "actors/dataflow/operators/interval_bounds.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Rows of frames that are added to accumulators at a time.
constexpr std::size_t frame_rows_at_once = 16'384;

using kind = over_call::kind;

bool has_frame(kind what) noexcept {
  return what == kind::aggregate || what == kind::first_value;
}

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

void clear_slots(accumulators& x, std::uint32_t count) {
  x.resize(count);
  for (std::uint32_t i = 0; i < count; ++i)
    x.clear(i);
}

} // namespace

over_calls::over_calls(const over_spec& spec, const std::vector<sql_type>& input)
    : time_column_(spec.time_column) {
  for (const auto& call : spec.calls) {
    call_state x;
    x.call = call;
    if (call.what == kind::lag) {
      rows_kept_ =
          std::max(rows_kept_, static_cast<std::size_t>(std::max<std::int64_t>(call.distance, 0)));
      reaches_ = true;
    }
    if (has_frame(call.what)) {
      if (!call.frame.unbounded) {
        reaches_ = true;
        if (!call.frame.range)
          rows_kept_ = std::max(rows_kept_, static_cast<std::size_t>(call.frame.preceding));
        else if (call.frame.preceding > 0)
          range_kept_ = std::max(range_kept_, call.frame.preceding);
      } else if (call.what == kind::first_value) {
        keeps_first_ = true;
      }
    }
    if (call.what == kind::aggregate) {
      const auto make = [&] { return make_accumulators(call.call, input); };
      x.frame = make();
      if (call.frame.unbounded) {
        x.running = make();
        x.single = make();
      }
    }
    calls_.push_back(std::move(x));
  }
}

micros over_calls::kept_from(micros last_time) const noexcept {
  return range_kept_ < 0 ? max_time : add_time(last_time, -range_kept_);
}

result<std::vector<column>> over_calls::compute(const over_block& block, const row_store& rows,
                                                const std::vector<over_partition>& partitions) {
  if (reaches_)
    find_reach(block, partitions);
  std::vector<column> results;
  results.reserve(calls_.size());
  for (auto& x : calls_) {
    switch (x.call.what) {
    case kind::aggregate: {
      auto value = x.call.frame.unbounded ? aggregate_running(x, block, rows, partitions.size())
                                          : aggregate_frames(x, block, rows);
      if (!value)
        return std::move(value).error();
      results.push_back(materialize(*std::move(value)));
      break;
    }
    case kind::row_number:
    case kind::rank:
    case kind::dense_rank:
      results.push_back(numbers(x.call, block, partitions));
      break;
    case kind::lag:
    case kind::first_value:
    case kind::last_value:
      results.push_back(values(x.call, block, rows, partitions));
      break;
    }
    if (x.call.call.type.kind != type_kind::unknown)
      results.back().type = x.call.call.type;
  }
  return results;
}

void over_calls::find_reach(const over_block& block,
                            const std::vector<over_partition>& partitions) {
  reach_.rows.clear();
  reach_.at.resize(block.size());
  reach_.start.resize(block.size());
  for (const auto& run : block.runs) {
    const auto start = static_cast<std::uint32_t>(reach_.rows.size());
    const auto& history = partitions[run.slot].history;
    reach_.rows.insert(reach_.rows.end(), history.begin(), history.end());
    for (auto place = run.first; place < run.first + run.count; ++place) {
      reach_.at[place] = static_cast<std::uint32_t>(reach_.rows.size());
      reach_.start[place] = start;
      reach_.rows.push_back(block.rows[place]);
    }
  }
}

// First row in `reach_` of each place's frame; the frame is not unbounded.
void over_calls::frame_starts(const frame_spec& frame, const over_block& block,
                              const row_store& rows, std::vector<std::uint32_t>& starts) const {
  starts.resize(block.size());
  std::uint32_t start = 0;
  for (std::uint32_t place = 0; place < block.size(); ++place) {
    const auto at = reach_.at[place];
    const auto lowest = reach_.start[place];
    if (!frame.range) {
      const auto back = std::min<std::int64_t>(frame.preceding, at - lowest);
      starts[place] = at - static_cast<std::uint32_t>(back);
      continue;
    }
    const auto peers = at - (place - block.group_first[place]);
    if (frame.preceding == 0 || rows.is_null(time_column_, block.rows[place])) {
      starts[place] = peers;
      continue;
    }
    // Times rise within a partition, so the start only moves on.
    const auto from =
        add_time(rows.value<micros>(time_column_, block.rows[place]), -frame.preceding);
    start = std::max(start, lowest);
    while (start < peers
           && (rows.is_null(time_column_, reach_.rows[start])
               || rows.value<micros>(time_column_, reach_.rows[start]) < from))
      ++start;
    starts[place] = start;
  }
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

column over_calls::values(const over_call& call, const over_block& block, const row_store& rows,
                          const std::vector<over_partition>& partitions) const {
  std::vector<std::uint32_t> from(block.size(), row_store::no_row);
  if (call.what == kind::lag) {
    for (std::uint32_t place = 0; place < block.size(); ++place)
      if (call.distance >= 0 && call.distance <= reach_.at[place] - reach_.start[place])
        from[place] = reach_.rows[reach_.at[place] - static_cast<std::size_t>(call.distance)];
  } else if (call.what == kind::last_value) {
    for (std::uint32_t place = 0; place < block.size(); ++place)
      from[place] = block.rows[call.frame.range ? block.group_last[place] : place];
  } else if (call.frame.unbounded) {
    for (const auto& run : block.runs) {
      const auto& before = partitions[run.slot];
      const auto first = before.first == row_store::no_row ? block.rows[run.first] : before.first;
      std::fill_n(from.begin() + run.first, run.count, first);
    }
  } else {
    std::vector<std::uint32_t> starts;
    frame_starts(call.frame, block, rows, starts);
    for (std::uint32_t place = 0; place < block.size(); ++place)
      from[place] = reach_.rows[starts[place]];
  }
  return gather_or_null(rows, call.call.args.front(), std::move(from));
}

// Adds rows to the accumulators' slots: arguments and filter of the call.
result<void> over_calls::add_rows(const call_state& x, accumulators& to, const row_store& rows,
                                  std::span<const std::uint32_t> numbers,
                                  std::span<const std::uint32_t> slots) const {
  const auto count = static_cast<std::uint32_t>(numbers.size());
  const auto& call = x.call.call;
  std::vector<column> args;
  for (const auto k : call.args)
    args.push_back(rows.gather(k, numbers.data(), count));
  for (const auto& key : call.order_by)
    args.push_back(rows.gather(key.column, numbers.data(), count));
  std::vector<std::uint8_t> included;
  if (call.filter >= 0) {
    const auto filter = rows.gather(static_cast<std::size_t>(call.filter), numbers.data(), count);
    included.assign((count + 7) / 8, 0);
    for (std::uint32_t i = 0; i < count; ++i)
      if (!filter.is_null(i) && filter.data<std::uint8_t>()[i] != 0)
        set_bit(included.data(), i);
  }
  return to.update(slots, args, included.empty() ? nullptr : included.data(), nullptr);
}

// UNBOUNDED PRECEDING: each row is added to its partition's accumulator, whose value is then copied
// for the row. All partitions move on together, row by row.
result<column> over_calls::aggregate_running(call_state& x, const over_block& block,
                                             const row_store& rows, std::size_t partition_count) {
  const auto count = block.size();
  partitions_ = std::max(partitions_, static_cast<std::uint32_t>(partition_count));
  x.running->resize(partitions_);
  clear_slots(*x.single, count);
  clear_slots(*x.frame, count);
  std::vector<std::uint32_t> places(count);
  std::iota(places.begin(), places.end(), 0U);
  EBB_TRY(add_rows(x, *x.single, rows, block.rows, places));
  std::vector<over_run> open = block.runs;
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> now;
  std::vector<std::uint32_t> ended_slots;
  std::vector<std::uint32_t> ended;
  for (std::uint32_t k = 0; !open.empty(); ++k) {
    slots.clear();
    now.clear();
    ended_slots.clear();
    ended.clear();
    for (const auto& run : open) {
      slots.push_back(run.slot);
      now.push_back(run.first + k);
      // RANGE: all peers have the value after the last of them.
      if (!x.call.frame.range || block.group_last[now.back()] == now.back()) {
        ended_slots.push_back(run.slot);
        ended.push_back(now.back());
      }
    }
    EBB_TRY(x.running->merge(slots, *x.single, now));
    EBB_TRY(x.frame->merge(ended, *x.running, ended_slots));
    std::erase_if(open, [k](const over_run& run) { return run.count == k + 1; });
  }
  if (x.call.frame.range)
    places = block.group_last;
  return x.frame->finish(places);
}

// A frame that starts so many rows or so long before: its rows are added up anew for each row.
result<column> over_calls::aggregate_frames(call_state& x, const over_block& block,
                                            const row_store& rows) {
  std::vector<std::uint32_t> starts;
  frame_starts(x.call.frame, block, rows, starts);
  clear_slots(*x.frame, block.size());
  std::vector<std::uint32_t> numbers;
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> results(block.size());
  for (std::uint32_t place = 0; place < block.size(); ++place) {
    // Peers have the same RANGE.
    results[place] = x.call.frame.range ? block.group_first[place] : place;
    if (results[place] != place)
      continue;
    const auto last = x.call.frame.range ? block.group_last[place] : place;
    for (auto i = starts[place]; i <= reach_.at[last]; ++i) {
      numbers.push_back(reach_.rows[i]);
      slots.push_back(place);
    }
    if (numbers.size() < frame_rows_at_once)
      continue;
    EBB_TRY(add_rows(x, *x.frame, rows, numbers, slots));
    numbers.clear();
    slots.clear();
  }
  EBB_TRY(add_rows(x, *x.frame, rows, numbers, slots));
  return x.frame->finish(results);
}

std::vector<column> over_calls::states(std::span<const std::uint32_t> slots) const {
  std::vector<column> result;
  for (const auto& x : calls_)
    if (x.running)
      for (auto& state : x.running->state(slots))
        result.push_back(std::move(state));
  return result;
}

result<void> over_calls::load(std::uint32_t slot, std::string_view bytes) {
  for (auto& x : calls_) {
    if (!x.running)
      continue;
    std::vector<column> state;
    for (const auto& type : state_types(x.call.call)) {
      value_builder value(type, 1);
      EBB_TRY(value.append_encoded(bytes));
      state.push_back(value.take());
    }
    partitions_ = std::max(partitions_, slot + 1);
    x.running->resize(partitions_);
    EBB_TRY(x.running->merge_state({&slot, 1}, state));
  }
  return {};
}

std::size_t over_calls::byte_size() const noexcept {
  std::size_t bytes = 0;
  for (const auto& x : calls_)
    if (x.running)
      bytes += x.running->byte_size();
  return bytes;
}

} // namespace ebb
