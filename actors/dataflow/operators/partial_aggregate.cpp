#include "actors/dataflow/operators/partial_aggregate.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

std::vector<sql_type> key_types(const window_aggregate_spec& spec, const operator_context& context,
                                std::size_t edges) {
  std::vector<sql_type> types(edges, sql_type{type_kind::timestamp});
  for (const auto k : spec.keys)
    types.push_back(context.inputs[0][k]);
  return types;
}

pane_source source_of(const window_spec& w) {
  if (w.kind == window_kind::attached)
    return {-1, w.end_column, w.start_column};
  return {w.processing_time ? -1 : w.time_column, -1, -1};
}

/// Batches with rows of more panes than these have the panes among the groups' keys.
constexpr std::size_t panes_apart = 4;

/// min_time stands for a window's start that the input does not carry: it goes on as NULL, so that
/// it is hashed as in the input.
void null_unknown(column& starts) {
  auto* bits = ensure_validity(starts);
  const auto* times = starts.data<micros>();
  for (std::uint32_t i = 0; i < starts.rows; ++i)
    if (times[i] == min_time)
      clear_bit(bits, i);
}

} // namespace

partial_aggregate::partial_aggregate(const window_aggregate_spec& spec, operator_context context)
    : context_(std::move(context)), window_(spec.window), keys_(spec.keys),
      shape_(key_types(spec, context_, 2), spec.calls, 1),
      group_shape_(key_types(spec, context_, 0), spec.calls, 1), slicer_(spec.window),
      finder_(slicer_, source_of(spec.window)), table_(shape_), groups_(group_shape_) {}

column partial_aggregate::edge_values::of(micros wanted, std::uint32_t rows) {
  const sql_type timestamp{type_kind::timestamp};
  if (wanted == min_time) // see null_unknown
    return make_null_column(timestamp, rows);
  // Most batches are of the pane of the one before.
  if (time != wanted || room < rows) {
    time = wanted;
    room = std::max(room, rows);
    values = buffer_ptr::of<micros>(room);
    std::fill_n(values.as<micros>(), room, time);
  }
  column made;
  made.type = timestamp;
  made.rows = rows;
  made.values = buffer_ptr::part(values, 0, rows * sizeof(micros));
  return made;
}

result<bool> partial_aggregate::step(stream_item* item, step_budget& budget, output& out) {
  if (item == nullptr)
    return false;
  switch (item->kind) {
  case item_kind::batch:
    counters_.rows_in += item->rows->rows;
    budget.rows -= std::min(budget.rows, item->rows->rows);
    if (item->rows->rows != 0)
      EBB_TRY(take(*item->rows, item->other_channels, out));
    break;
  case item_kind::watermark:
    if (!window_.processing_time || item->time == max_time)
      out.advance(item->time);
    break;
  case item_kind::idle:
    out.idle();
    break;
  case item_kind::tick:
    now_ = std::max(now_, item->time);
    break;
  case item_kind::end:
    break;
  }
  return false;
}

result<void> partial_aggregate::take(const batch& rows, micros other_channels, output& out) {
  if (auto started = finder_.start(rows, now_); !started)
    return name_row(std::move(started).error(), rows, context_.name);
  const auto calls = arguments_of(shape_, rows);
  const auto named = [&](result<void> done) {
    return done ? std::move(done) : name_row(std::move(done).error(), rows, context_.name);
  };
  if (!rows.watermarks)
    if (const auto only = finder_.only_pane(); only != pane_finder::no_pane) {
      const auto& found = finder_.panes()[only];
      if (!found.covered)
        return {};
      take_keys(rows);
      return named(emit_pane(calls, found.pane, nullptr, out));
    }
  split(rows, other_channels);
  if (finder_.panes().size() <= panes_apart) {
    take_keys(rows);
    for (const auto& found : finder_.panes())
      if (!found.picks.empty())
        EBB_TRY(named(emit_pane(calls, found.pane, &found.picks, out)));
  } else if (!on_time_.empty()) {
    EBB_TRY(named(emit_on_time(rows, calls, out)));
  }
  if (!behind_.empty())
    EBB_TRY(named(emit_behind(rows, calls, out)));
  return {};
}

void partial_aggregate::take_keys(const batch& rows) {
  key_columns_.clear();
  for (const auto k : keys_)
    key_columns_.push_back(&rows.columns[k]);
  hashes_.resize(rows.rows);
  hash_keys(key_columns_, rows.rows, hashes_.data());
}

result<void> partial_aggregate::emit_pane(const call_rows& calls, const pane_id& pane,
                                          const std::vector<std::uint32_t>* picks, output& out) {
  EBB_TRY(groups_.add(key_columns_, hashes_.data(), calls, picks));
  emit_groups(groups_, &pane, out);
  return {};
}

void partial_aggregate::emit_groups(aggregate_table& table, const pane_id* pane, output& out) {
  const auto count = table.index().slot_count();
  const auto known = slots_.size();
  if (known < count) {
    slots_.resize(count);
    std::iota(slots_.begin() + static_cast<std::ptrdiff_t>(known), slots_.end(),
              static_cast<std::uint32_t>(known));
  }
  const std::span slots(slots_.data(), count);
  auto made = std::make_shared<batch>();
  made->rows = count;
  made->columns.reserve(keys_.size() + 2 + shape_.calls.size());
  table.keys(slots, made->columns);
  // Keys, then the pane's edges, which may be the first keys of the table.
  if (pane == nullptr) {
    std::rotate(made->columns.begin(), made->columns.begin() + 2, made->columns.end());
  } else {
    made->columns.push_back(pane_start_.of(pane->start, made->rows));
    made->columns.push_back(pane_end_.of(pane->end, made->rows));
    if (!keys_.empty()) {
      const auto hashes = table.index().hashes();
      made->hashes = buffer_ptr::of<std::uint64_t>(made->rows);
      std::copy(hashes.begin(), hashes.end(), made->hashes.as<std::uint64_t>());
    }
  }
  table.states(slots, made->columns);
  table.clear();
  counters_.rows_out += made->rows;
  out.emit(std::move(made));
}

void partial_aggregate::split(const batch& rows, micros other_channels) {
  on_time_.clear();
  behind_.clear();
  behind_watermarks_.clear();
  const sql_type timestamp{type_kind::timestamp};
  pane_starts_ = make_column(timestamp, rows.rows);
  pane_ends_ = make_column(timestamp, rows.rows);
  auto* starts = pane_starts_.mutable_data<micros>();
  auto* ends = pane_ends_.mutable_data<micros>();
  const auto* watermarks = rows.watermarks ? rows.watermarks.as<const micros>() : nullptr;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    const auto at = finder_.find(i);
    if (at == pane_finder::no_pane) {
      starts[i] = ends[i] = min_time;
      ++counters_.late_rows;
      continue;
    }
    auto& found = finder_.panes()[at];
    starts[i] = found.pane.start;
    ends[i] = found.pane.end;
    if (!found.covered)
      continue;
    const auto watermark =
        watermarks == nullptr ? min_time : std::min(watermarks[i], other_channels);
    if (found.first_end <= watermark) [[unlikely]] {
      behind_.push_back(i);
      behind_watermarks_.push_back(watermark);
    } else {
      on_time_.push_back(i);
      found.picks.push_back(i);
    }
  }
  const auto& panes = finder_.panes();
  if (std::any_of(panes.begin(), panes.end(),
                  [](const auto& x) { return x.pane.start == min_time; }))
    null_unknown(pane_starts_);
}

result<void> partial_aggregate::emit_on_time(const batch& rows, const call_rows& calls,
                                             output& out) {
  std::vector<const column*> keys{&pane_starts_, &pane_ends_};
  for (const auto k : keys_)
    keys.push_back(&rows.columns[k]);
  hashes_.resize(rows.rows);
  hash_keys(keys, rows.rows, hashes_.data());
  EBB_TRY(
      table_.add(keys, hashes_.data(), calls, on_time_.size() == rows.rows ? nullptr : &on_time_));
  emit_groups(table_, nullptr, out);
  return {};
}

result<void> partial_aggregate::emit_behind(const batch& rows, const call_rows& calls,
                                            output& out) {
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(behind_.size());
  for (const auto k : keys_)
    made->columns.push_back(pick_rows(rows.columns[k], behind_));
  made->columns.push_back(pick_rows(pane_starts_, behind_));
  made->columns.push_back(pick_rows(pane_ends_, behind_));
  EBB_TRY(states_of_rows(shape_, calls, behind_, made->columns));
  made->watermarks = buffer_ptr::of<micros>(behind_.size());
  std::copy(behind_watermarks_.begin(), behind_watermarks_.end(), made->watermarks.as<micros>());
  counters_.rows_out += made->rows;
  out.emit(std::move(made));
  return {};
}

bool partial_aggregate::wants_ticks() const noexcept {
  return window_.processing_time;
}

operator_counters partial_aggregate::counters() const {
  auto x = counters_;
  x.state_bytes = table_.byte_size() + groups_.byte_size();
  return x;
}

} // namespace ebb
