#include "actors/dataflow/operators/pane_aggregate.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Groups merged or emitted at once: a batch at load.
constexpr std::uint32_t chunk_max = 4096;
// Emptied tables kept for their memory: as many as come and go while one window fires.
constexpr std::size_t spare_max = 2;

std::vector<sql_type> key_types(const window_aggregate_spec& spec,
                                const operator_context& context) {
  std::vector<sql_type> types;
  for (std::size_t k = 0; k < spec.keys.size(); ++k)
    types.push_back(context.inputs[0][spec.phase == aggregate_phase::final ? k : spec.keys[k]]);
  return types;
}

pane_source source_of(const window_aggregate_spec& spec) {
  const auto& w = spec.window;
  const auto keys = static_cast<std::int32_t>(spec.keys.size());
  if (w.kind == window_kind::attached)
    return spec.phase == aggregate_phase::final ? pane_source{-1, keys + 1, keys}
                                                : pane_source{-1, w.end_column, w.start_column};
  if (spec.phase == aggregate_phase::final)
    return {keys, -1, -1};
  return {w.processing_time ? -1 : w.time_column, -1, -1};
}

/// A column of one time; min_time stands for a window's start that the input does not carry.
column time_column(micros time, std::uint32_t rows) {
  const sql_type timestamp{type_kind::timestamp};
  if (time == min_time)
    return make_null_column(timestamp, rows);
  column x = make_column(timestamp, rows);
  std::fill_n(x.mutable_data<micros>(), rows, time);
  return x;
}

/// Rows handled in this step, at least one.
std::uint32_t take_budget(step_budget& budget, std::size_t wanted) {
  const auto rows = static_cast<std::uint32_t>(
      std::min<std::size_t>({wanted, chunk_max, std::max<std::uint32_t>(1, budget.rows)}));
  budget.rows -= std::min(budget.rows, rows);
  return rows;
}

} // namespace

pane_aggregate::pane_aggregate(const window_aggregate_spec& spec, operator_context context)
    : context_(std::move(context)), window_(spec.window),
      final_(spec.phase == aggregate_phase::final), keys_(spec.keys),
      shape_(key_types(spec, context_), spec.calls, context_.key_groups), slicer_(spec.window),
      finder_(slicer_, source_of(spec)) {
  EBB_ASSERT(spec.phase != aggregate_phase::partial);
  if (final_)
    std::iota(keys_.begin(), keys_.end(), 0U);
}

pane_aggregate::table_ptr pane_aggregate::make_table() {
  table_ptr table;
  if (spare_.empty()) {
    table = std::make_unique<aggregate_table>(shape_);
  } else {
    table = std::move(spare_.back());
    spare_.pop_back();
  }
  table->index().start_at(mark_);
  return table;
}

void pane_aggregate::recycle(table_ptr table) {
  if (!table || spare_.size() >= spare_max)
    return;
  table->clear();
  spare_.push_back(std::move(table));
}

result<bool> pane_aggregate::step(stream_item* item, step_budget& budget, output& out) {
  if (item != nullptr)
    accept(*item);
  budget.rows = std::max<std::uint32_t>(1, budget.rows);
  const auto more = work(budget, out);
  collector_.flush(out);
  if (more && !*more) {
    if (promised_ > passed_) {
      passed_ = promised_;
      out.advance(passed_);
    }
    if (idle_)
      out.idle();
    idle_ = false;
  }
  return more;
}

result<bool> pane_aggregate::work(step_budget& budget, output& out) {
  while (true) {
    if (firing_ || start_firing()) {
      EBB_TRY(continue_firing(budget, out));
      if (firing_)
        return true;
    } else if (rows_) {
      EBB_TRY(take_rows(budget));
    } else {
      break;
    }
    if (budget.rows == 0 && (rows_ || next_window()))
      return true;
  }
  return false;
}

void pane_aggregate::accept(const stream_item& item) {
  switch (item.kind) {
  case item_kind::batch:
    start_batch(item);
    return;
  case item_kind::watermark:
    if (!window_.processing_time || item.time == max_time)
      promised_ = std::max(promised_, item.time);
    break;
  case item_kind::tick:
    now_ = std::max(now_, item.time);
    if (window_.processing_time)
      promised_ = std::max(promised_, now_);
    break;
  case item_kind::idle:
    idle_ = true;
    break;
  case item_kind::end:
    promised_ = max_time;
    break;
  }
  target_ = std::max(target_, promised_);
}

void pane_aggregate::start_batch(const stream_item& item) {
  counters_.rows_in += item.rows->rows;
  if (item.rows->rows == 0)
    return;
  rows_ = item.rows;
  next_row_ = 0;
  other_channels_ = item.other_channels;
  key_columns_.clear();
  for (const auto k : keys_)
    key_columns_.push_back(&rows_->columns[k]);
  hashes_.resize(rows_->rows);
  hash_keys(key_columns_, rows_->rows, hashes_.data());
  // Partial results stand behind the keys and the pane's two edges.
  call_rows_ = final_ ? states_of(shape_, *rows_, keys_.size() + 2) : arguments_of(shape_, *rows_);
  finder_.start(*rows_, now_ == min_time ? 0 : now_);
}

result<void> pane_aggregate::take_rows(step_budget& budget) {
  const auto before = next_row_;
  const auto only = next_row_ == 0 && !rows_->watermarks ? finder_.only_pane() : finder_.no_pane;
  if (only != pane_finder::no_pane && finder_.panes()[only].covered
      && finder_.panes()[only].first_end > fired_) {
    next_row_ = rows_->rows;
    EBB_TRY(add_rows(finder_.panes()[only].pane, nullptr));
  } else {
    split_rows();
    for (auto& found : finder_.panes())
      if (!found.picks.empty()) {
        EBB_TRY(add_rows(found.pane, &found.picks));
        found.picks.clear();
      }
  }
  budget.rows -= std::min(budget.rows, next_row_ - before);
  if (next_row_ == rows_->rows) {
    rows_ = nullptr;
    call_rows_ = call_rows{};
  }
  return {};
}

void pane_aggregate::split_rows() {
  const auto* watermarks = rows_->watermarks ? rows_->watermarks.as<const micros>() : nullptr;
  const auto first = next_row_;
  for (; next_row_ < rows_->rows; ++next_row_) {
    const auto at = finder_.find(next_row_);
    if (at == pane_finder::no_pane) {
      ++counters_.late_rows;
      continue;
    }
    auto& found = finder_.panes()[at];
    if (!found.covered)
      continue;
    const auto watermark = watermarks == nullptr
                               ? fired_
                               : std::max(fired_, std::min(watermarks[next_row_], other_channels_));
    if (found.first_end <= watermark) [[unlikely]] {
      if (found.last_end <= watermark) {
        ++counters_.late_rows;
        continue;
      }
      // The row is not part of the windows that its watermark has closed, so they fire before it
      // enters the pane that they share with later windows.
      if (const auto end = slicer_.next_end(found.pane, fired_); end && *end <= watermark) {
        if (next_row_ != first)
          return; // the rows before it may be part of those windows
        target_ = std::max(target_, watermark);
        if (next_window())
          return;
        fired_ = std::max(fired_, watermark);
      }
    }
    found.picks.push_back(next_row_);
  }
}

result<void> pane_aggregate::add_rows(const pane_id& pane,
                                      const std::vector<std::uint32_t>* picks) {
  auto& table = panes_[pane];
  if (!table)
    table = make_table();
  auto done = table->add(key_columns_, hashes_.data(), call_rows_, picks);
  if (!done)
    return name_row(std::move(done).error(), *rows_, context_.name);
  return {};
}

std::optional<pane_id> pane_aggregate::next_window() const {
  if (!resumed_.empty())
    return resumed_.begin()->first;
  // The first pane's next window is the first of all: later panes are in later windows, or in it.
  if (panes_.empty())
    return std::nullopt;
  const auto& first = panes_.begin()->first;
  if (window_.kind == window_kind::attached) // several may end at one time
    return first.end <= target_ ? std::optional(first) : std::nullopt;
  const auto end = slicer_.next_end(first, fired_);
  EBB_ASSERT(end.has_value()); // a pane goes with its last window
  if (*end > target_)
    return std::nullopt;
  return pane_id{*end, slicer_.start_of(first, *end)};
}

bool pane_aggregate::start_firing() {
  const auto window = next_window();
  if (!window) {
    fired_ = std::max(fired_, target_);
    return false;
  }
  firing_.emplace();
  auto& f = *firing_;
  f.window = *window;
  if (!resumed_.empty()) {
    f.merged = std::move(resumed_.begin()->second);
    f.groups = f.merged.get();
    f.resumed = true;
    resumed_.erase(resumed_.begin());
    return true;
  }
  fired_ = window->end;
  const bool alone = window_.kind == window_kind::attached;
  for (auto it = panes_.begin(); it != panes_.end() && it->first.start < window->end;) {
    if (alone && it->first != *window)
      break;
    const bool last = !slicer_.next_end(it->first, fired_);
    if (last) {
      drop(1, it->first);
      f.owned.push_back(std::move(it->second));
      it = panes_.erase(it);
    } else {
      f.parts.push_back(it->second.get());
      ++it;
    }
  }
  if (f.owned.size() + f.parts.size() == 1) {
    f.groups = f.owned.empty() ? f.parts.front() : f.owned.front().get();
    f.parts.clear();
  } else if (f.owned.empty()) {
    f.merged = make_table();
  } else {
    // The oldest pane is not needed again: the others are added to it.
    f.merged = std::move(f.owned.front());
    f.owned.erase(f.owned.begin());
  }
  for (std::size_t i = 0; f.groups == nullptr && i < f.owned.size(); ++i)
    f.parts.insert(f.parts.begin() + static_cast<std::ptrdiff_t>(i), f.owned[i].get());
  return true;
}

result<void> pane_aggregate::continue_firing(step_budget& budget, output& out) {
  auto& f = *firing_;
  if (f.groups == nullptr) {
    EBB_TRY(merge_parts(budget));
    if (f.groups == nullptr || budget.rows == 0)
      return {};
  }
  EBB_TRY(emit_groups(budget, out));
  if (f.next == f.groups->index().slot_count())
    finish_firing();
  return {};
}

result<void> pane_aggregate::merge_parts(step_budget& budget) {
  auto& f = *firing_;
  std::vector<std::uint32_t> slots;
  while (f.part < f.parts.size() && budget.rows != 0) {
    const auto& from = *f.parts[f.part];
    slots.resize(take_budget(budget, from.index().slot_count() - f.part_slot));
    std::iota(slots.begin(), slots.end(), f.part_slot);
    if (auto done = f.merged->merge(from, slots); !done)
      return name_row(std::move(done).error(), batch{}, context_.name);
    f.part_slot += static_cast<std::uint32_t>(slots.size());
    if (f.part_slot == from.index().slot_count()) {
      ++f.part;
      f.part_slot = 0;
    }
  }
  if (f.part == f.parts.size()) {
    f.parts.clear();
    for (auto& table : f.owned)
      recycle(std::move(table));
    f.owned.clear();
    f.groups = f.merged.get();
  }
  return {};
}

result<void> pane_aggregate::emit_groups(step_budget& budget, output& out) {
  auto& f = *firing_;
  const auto& index = f.groups->index();
  const auto count = take_budget(budget, index.slot_count() - f.next);
  std::vector<std::uint32_t> slots(count);
  std::iota(slots.begin(), slots.end(), f.next);
  f.next += count;
  if (!fired_of_group_.empty() && !f.resumed)
    std::erase_if(slots, [&](std::uint32_t slot) {
      return fired_of_group_[key_group_of(index.hash_of(slot), shape_.key_groups)] >= f.window.end;
    });
  if (slots.empty())
    return {};
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(slots.size());
  f.groups->keys(slots, made->columns);
  made->columns.push_back(time_column(f.window.start, made->rows));
  made->columns.push_back(time_column(f.window.end, made->rows));
  if (auto done = f.groups->results(slots, made->columns); !done)
    return name_row(std::move(done).error(), batch{}, context_.name);
  counters_.rows_out += made->rows;
  collector_.add(std::move(made), out);
  return {};
}

void pane_aggregate::finish_firing() {
  drop(2, firing_->window);
  recycle(std::move(firing_->merged));
  for (auto& table : firing_->owned)
    recycle(std::move(table));
  firing_.reset();
  if (!fired_of_group_.empty()
      && std::all_of(fired_of_group_.begin(), fired_of_group_.end(),
                     [&](micros t) { return t <= fired_; }))
    fired_of_group_.clear();
}

bool pane_aggregate::wants_ticks() const noexcept {
  return window_.processing_time;
}

micros pane_aggregate::next_tick() const noexcept {
  if (!window_.processing_time || panes_.empty())
    return max_time;
  return slicer_.next_end(panes_.begin()->first, fired_).value_or(max_time);
}

operator_counters pane_aggregate::counters() const {
  auto x = counters_;
  for (const auto& [id, table] : panes_)
    x.state_bytes += table->byte_size();
  for (const auto& table : spare_)
    x.state_bytes += table->byte_size();
  if (firing_ && firing_->merged)
    x.state_bytes += firing_->merged->byte_size();
  return x;
}

} // namespace ebb
