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
  return what == kind::aggregate || what == kind::first_value || what == kind::nth_value;
}

bool looks_ahead(const over_call& call) noexcept {
  return call.what == kind::lead || call.what == kind::nth_value || call.frame.to_last
         || call.frame.following != 0 || call.frame.preceding < 0;
}

// Frames that end with the last row are added up from there, where order does not show.
bool runs_backwards(const over_call& call) noexcept {
  return !call.frame.unbounded && call.frame.to_last && call.call.function->order_free;
}

void clear_slots(accumulators& x, std::uint32_t count) {
  x.resize(count);
  for (std::uint32_t i = 0; i < count; ++i)
    x.clear(i);
}

} // namespace

std::vector<sql_type> types_with_results(std::vector<sql_type> row,
                                         const std::vector<over_call>& calls) {
  auto result = row;
  for (const auto& call : calls) {
    switch (call.what) {
    case kind::row_number:
    case kind::rank:
    case kind::dense_rank:
      result.push_back(sql_type{type_kind::bigint});
      break;
    case kind::ntile:
      result.push_back(sql_type{type_kind::integer});
      break;
    case kind::percent_rank:
    case kind::cume_dist:
      result.push_back(sql_type{type_kind::double_precision});
      break;
    case kind::aggregate:
      result.push_back(call.call.type);
      break;
    case kind::lag:
    case kind::lead:
    case kind::first_value:
    case kind::last_value:
    case kind::nth_value:
      result.push_back(call.call.type.kind == type_kind::unknown ? row[call.call.args.front()]
                                                                 : call.call.type);
      break;
    }
  }
  return result;
}

over_calls::over_calls(const std::vector<over_call>& calls, const sort_key& order,
                       const std::vector<sql_type>& input)
    : order_(order), by_numbers_(order.column < input.size()
                                 && input[order.column].kind == type_kind::bigint) {
  for (const auto& call : calls) {
    call_state x;
    x.call = call;
    reaches_ = reaches_ || looks_ahead(call);
    if (!call.frame.range && call.frame.following < 0) // ends before the current row
      rows_kept_ = std::max(rows_kept_, static_cast<std::size_t>(-call.frame.following));
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
      if (call.frame.unbounded || runs_backwards(call)) {
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
                   : x.running            ? aggregate_along(x, block, rows, true)
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
    case kind::percent_rank:
    case kind::cume_dist:
      results.push_back(shares(x.call, block));
      break;
    case kind::ntile:
      results.push_back(tiles(x.call, block));
      break;
    case kind::lag:
    case kind::lead:
    case kind::first_value:
    case kind::last_value:
    case kind::nth_value:
      results.push_back(values(x.call, block, rows, partitions));
      break;
    }
    if (x.call.call.type.kind != type_kind::unknown)
      results.back().type = x.call.call.type;
  }
  return results;
}

result<std::vector<column>> over_calls::compute_whole(const over_block& block,
                                                      const row_store& rows) {
  const auto runs = static_cast<std::uint32_t>(block.runs.size());
  for (auto& x : calls_)
    if (x.running)
      clear_slots(*x.running, runs);
  return compute(block, rows, std::vector<over_partition>(runs));
}

void over_calls::find_reach(const over_block& block,
                            const std::vector<over_partition>& partitions) {
  reach_.rows.clear();
  reach_.at.resize(block.size());
  reach_.start.resize(block.size());
  reach_.end.resize(block.size());
  for (const auto& run : block.runs) {
    const auto start = static_cast<std::uint32_t>(reach_.rows.size());
    const auto& history = partitions[run.slot].history;
    reach_.rows.insert(reach_.rows.end(), history.begin(), history.end());
    for (auto place = run.first; place < run.first + run.count; ++place) {
      reach_.at[place] = static_cast<std::uint32_t>(reach_.rows.size());
      reach_.start[place] = start;
      reach_.rows.push_back(block.rows[place]);
    }
    std::fill_n(reach_.end.begin() + run.first, run.count,
                static_cast<std::uint32_t>(reach_.rows.size()));
  }
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
// for the frames that end there.
result<column> over_calls::aggregate_running(call_state& x, const over_block& block,
                                             const row_store& rows, std::size_t partition_count) {
  partitions_ = std::max(partitions_, static_cast<std::uint32_t>(partition_count));
  x.running->resize(partitions_);
  return aggregate_along(x, block, rows, false);
}

// Backwards: … AND UNBOUNDED FOLLOWING, likewise.
result<column> over_calls::aggregate_along(call_state& x, const over_block& block,
                                           const row_store& rows, bool backwards) {
  const auto count = block.size();
  clear_slots(*x.single, count);
  clear_slots(*x.frame, count + 1); // the last one is the empty frame
  std::vector<std::uint32_t> places(count);
  std::iota(places.begin(), places.end(), 0U);
  EBB_TRY(add_rows(x, *x.single, rows, block.rows, places));
  places =
      backwards ? first_places(x.call.frame, block, rows) : last_places(x.call.frame, block, rows);
  std::vector<std::uint8_t> wanted(count + std::size_t{1}, 0);
  for (const auto place : places)
    wanted[place] = 1;
  EBB_TRY(run_on(x, block, backwards, wanted));
  return x.frame->finish(places);
}

// All partitions move on together, row by row.
result<void> over_calls::run_on(call_state& x, const over_block& block, bool backwards,
                                const std::vector<std::uint8_t>& wanted) {
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
      now.push_back(backwards ? run.first + run.count - 1 - k : run.first + k);
      if (wanted[now.back()] != 0) {
        ended_slots.push_back(run.slot);
        ended.push_back(now.back());
      }
    }
    EBB_TRY(x.running->merge(slots, *x.single, now));
    if (!ended.empty())
      EBB_TRY(x.frame->merge(ended, *x.running, ended_slots));
    std::erase_if(open, [k](const over_run& run) { return run.count == k + 1; });
  }
  return {};
}

// Any other frame: its rows are added up anew for each row.
result<column> over_calls::aggregate_frames(call_state& x, const over_block& block,
                                            const row_store& rows) {
  std::vector<std::uint32_t> starts;
  std::vector<std::uint32_t> ends;
  frame_starts(x.call.frame, block, rows, starts);
  frame_ends(x.call.frame, block, rows, ends);
  clear_slots(*x.frame, block.size());
  std::vector<std::uint32_t> numbers;
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> results(block.size());
  for (std::uint32_t place = 0; place < block.size(); ++place) {
    // Peers have the same RANGE.
    results[place] = x.call.frame.range ? block.group_first[place] : place;
    if (results[place] != place)
      continue;
    for (auto i = starts[place]; i < ends[place]; ++i) {
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
