#include "actors/dataflow/operators/pane_aggregate.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

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

} // namespace

pane_aggregate::pane_aggregate(const window_aggregate_spec& spec, operator_context context)
    : context_(std::move(context)), window_(spec.window),
      final_(spec.phase == aggregate_phase::final), keys_(spec.keys),
      shape_(key_types(spec, context_), spec.calls, context_.key_groups), slicer_(spec.window),
      finder_(slicer_, source_of(spec)) {
  EBB_ASSERT(spec.phase != aggregate_phase::partial);
  if (final_)
    std::iota(keys_.begin(), keys_.end(), 0U);
  if (running_window::suits(window_, shape_))
    running_.emplace(shape_);
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
  if (!table)
    return;
  if (save_ && table->index().frozen()) {
    save_->kept.push_back(std::move(table));
    return;
  }
  if (spare_.size() >= spare_max)
    return;
  table->clear();
  spare_.push_back(std::move(table));
}

result<bool> pane_aggregate::step(stream_item* item, step_budget& budget, output& out) {
  if (loading_)
    finish_load();
  if (load_problem_)
    return *load_problem_;
  if (item != nullptr)
    accept(*item);
  budget.rows = std::max<std::uint32_t>(1, budget.rows);
  const auto more = work(budget, out);
  collector_.flush(out);
  if (more && !*more) {
    EBB_TRY(prepare());
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

void pane_aggregate::take_keys(const batch& rows) {
  key_columns_.clear();
  for (const auto k : keys_)
    key_columns_.push_back(&rows.columns[k]);
  if (final_ && rows.hashes) { // of the exchange that a final phase stands behind
    row_hashes_ = rows.hashes.as<const std::uint64_t>();
  } else {
    hashes_.resize(rows.rows);
    hash_keys(key_columns_, rows.rows, hashes_.data());
    row_hashes_ = hashes_.data();
  }
}

void pane_aggregate::start_batch(const stream_item& item) {
  counters_.rows_in += item.rows->rows;
  if (item.rows->rows == 0)
    return;
  rows_ = item.rows;
  ++coming_.quiet;
  next_row_ = 0;
  other_channels_ = item.other_channels;
  take_keys(*rows_);
  // Partial results stand behind the keys and the pane's two edges.
  call_rows_ = final_ ? states_of(shape_, *rows_, keys_.size() + 2) : arguments_of(shape_, *rows_);
}

result<void> pane_aggregate::take_rows(step_budget& budget) {
  const auto before = next_row_;
  if (next_row_ == 0)
    if (auto started = finder_.start(*rows_, now_ == min_time ? 0 : now_); !started)
      return name_row(std::move(started).error(), *rows_, context_.name);
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
  if (pane == coming_.id)
    coming_.quiet = 0;
  auto done = running_ && running_->covers(pane)
                  ? add_late_rows(*table, picks)
                  : table->add(key_columns_, row_hashes_, call_rows_, picks);
  if (!done)
    return name_row(std::move(done).error(), *rows_, context_.name);
  return {};
}

result<void> pane_aggregate::add_late_rows(aggregate_table& pane,
                                           const std::vector<std::uint32_t>* picks) {
  // The pane is part of running_, too: both sums grow.
  aggregate_table late(shape_);
  EBB_TRY(late.add(key_columns_, row_hashes_, call_rows_, picks));
  const auto before = pane.index().slot_count();
  EBB_TRY(pane.merge(late, late.slots()));
  return running_->add_late(late, pane, before);
}

bool pane_aggregate::wants_ticks() const noexcept {
  return window_.processing_time;
}

micros pane_aggregate::next_tick() const noexcept {
  return window_.processing_time ? first_end() : max_time;
}

micros pane_aggregate::next_watermark() const noexcept {
  if (window_.processing_time)
    return max_time;
  // What is not loaded is looked at when the watermark reaches the end of its pane.
  return cold_.ends.empty() ? first_end() : std::min(first_end(), *cold_.ends.begin());
}

micros pane_aggregate::first_end() const noexcept {
  if (panes_.empty())
    return max_time;
  const auto& first = panes_.begin()->first;
  return window_.kind == window_kind::attached ? first.end
                                               : slicer_.next_end(first, fired_).value_or(max_time);
}

operator_counters pane_aggregate::counters() const {
  auto x = counters_;
  for (const auto& [id, table] : panes_)
    x.state_bytes += table->byte_size();
  for (const auto& table : spare_)
    x.state_bytes += table->byte_size();
  if (running_)
    x.state_bytes += running_->byte_size();
  if (firing_ && firing_->merged)
    x.state_bytes += firing_->merged->byte_size();
  return x;
}

} // namespace ebb
