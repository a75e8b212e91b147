/// Firing of pane_aggregate: putting the panes of a window together and emitting its groups.
#include "actors/dataflow/operators/pane_aggregate.hpp"
#include "actors/dataflow/operators/row_values.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Groups merged or emitted at once: a batch at load.
constexpr std::uint32_t chunk_max = 4096;

// A pane without rows in so many batches is taken for complete; a row that comes after all is added
// to pane and window.
constexpr std::uint32_t quiet_min = 16;
// Groups prepared at the end of a step, beside its budget: some tens of microseconds.
constexpr std::uint32_t prepared_at_once = 512;

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

/// Which of the groups cannot be emitted.
error name_group(error problem, const aggregate_table& groups, std::span<const std::uint32_t> slots,
                 const pane_id& window) {
  for (const auto& slot : slots) {
    std::vector<column> values;
    if (groups.results({&slot, 1}, values))
      continue;
    values.clear();
    groups.keys({&slot, 1}, values);
    name_key(problem, values, 0, time_column(window.start, 1), time_column(window.end, 1));
    break;
  }
  return problem;
}

} // namespace

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

result<void> pane_aggregate::prepare() {
  // Restored groups may come in between, and may have seen other windows fire.
  if (!running_ || firing_ || !fired_of_group_.empty() || cold_.more || cold_.window
      || !cold_.ends.empty())
    return {};
  enter_coming_pane();
  step_budget some{prepared_at_once};
  if (auto done = running_->prepare(some); !done)
    return name_row(std::move(done).error(), batch{}, context_.name);
  while (auto table = running_->take_spare())
    recycle(std::move(table));
  return {};
}

void pane_aggregate::enter_coming_pane() {
  const auto it = std::find_if(panes_.begin(), panes_.end(),
                               [&](const auto& x) { return !running_->covers(x.first); });
  if (it == panes_.end())
    return;
  const auto& [pane, table] = *it;
  if (coming_.id != pane) {
    coming_ = {pane, 0};
    return;
  }
  // Only a pane of the very next window: no other can fire before that one.
  const auto end = slicer_.next_end(pane, fired_);
  if (coming_.quiet >= quiet_min && end && saturated_sum(*end, -window_.slide) <= fired_)
    running_->enter(pane, *table);
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
  f.fired_before = fired_;
  fired_ = window->end;
  const bool alone = window_.kind == window_kind::attached;
  for (auto it = panes_.begin(); it != panes_.end() && it->first.start < window->end;) {
    if (alone && it->first != *window)
      break;
    f.parts.push_back(it->second.get());
    if (running_ && !running_->covers(it->first))
      running_->enter(it->first, *it->second);
    if (slicer_.next_end(it->first, fired_)) {
      ++it;
      continue;
    }
    f.finished.emplace_back(it->first, std::move(it->second));
    it = panes_.erase(it);
  }
  choose_groups();
  return true;
}

void pane_aggregate::choose_groups() {
  auto& f = *firing_;
  if (running_)
    return;
  if (f.parts.size() == 1) {
    f.groups = f.parts.front();
    drop_finished();
    return;
  }
  // The panes stay as they are until they are put together: a save in between has them.
  f.merged = make_table();
}

result<void> pane_aggregate::continue_firing(step_budget& budget, output& out) {
  auto& f = *firing_;
  if (f.groups == nullptr) {
    if (auto done = merge_parts(budget); !done)
      return name_row(std::move(done).error(), batch{}, context_.name);
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
  if (running_) {
    EBB_ASSIGN(const bool complete, running_->advance(budget));
    if (complete) {
      f.groups = &running_->groups();
      drop_finished();
    }
    return {};
  }
  std::vector<std::uint32_t> slots;
  while (f.part < f.parts.size() && budget.rows != 0) {
    const auto& from = *f.parts[f.part];
    slots.resize(take_budget(budget, from.index().slot_count() - f.part_slot));
    std::iota(slots.begin(), slots.end(), f.part_slot);
    EBB_TRY(f.merged->merge(from, slots));
    f.part_slot += static_cast<std::uint32_t>(slots.size());
    if (f.part_slot == from.index().slot_count()) {
      ++f.part;
      f.part_slot = 0;
    }
  }
  if (f.part == f.parts.size()) {
    f.parts.clear();
    drop_finished();
    for (auto& [id, table] : f.finished)
      recycle(std::move(table));
    f.finished.clear();
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
  if (save_ && save_->window == f.groups && save_->window_next < f.next + count)
    put_window(f.next + count, save_->early);
  f.next += count;
  leave_out_fired(slots);
  if (slots.empty())
    return {};
  auto made = std::make_shared<batch>();
  made->rows = static_cast<std::uint32_t>(slots.size());
  f.groups->keys(slots, made->columns);
  made->columns.push_back(time_column(f.window.start, made->rows));
  made->columns.push_back(time_column(f.window.end, made->rows));
  if (auto done = f.groups->results(slots, made->columns); !done)
    return name_row(name_group(std::move(done).error(), *f.groups, slots, f.window), batch{},
                    context_.name);
  counters_.rows_out += made->rows;
  collector_.add(std::move(made), out);
  return {};
}

void pane_aggregate::leave_out_fired(std::vector<std::uint32_t>& slots) const {
  const auto& f = *firing_;
  const auto& index = f.groups->index();
  if (running_ && f.groups == &running_->groups())
    std::erase_if(slots, [&](std::uint32_t slot) { return !running_->has(slot); });
  if (!fired_of_group_.empty() && !f.resumed)
    std::erase_if(slots, [&](std::uint32_t slot) {
      return fired_of_group_[group_of(f.window, index.hash_of(slot))] >= f.window.end;
    });
}

void pane_aggregate::finish_firing() {
  drop(window_entries, firing_->window);
  if (save_ && save_->window == firing_->groups)
    save_->window = nullptr; // emitted, so written
  recycle(std::move(firing_->merged));
  for (auto& [id, table] : firing_->finished) {
    if (running_)
      running_->leave(id, std::move(table));
    else
      recycle(std::move(table));
  }
  if (running_)
    while (auto table = running_->take_spare())
      recycle(std::move(table));
  firing_.reset();
  if (!fired_of_group_.empty()
      && std::all_of(fired_of_group_.begin(), fired_of_group_.end(),
                     [&](micros t) { return t <= fired_; }))
    fired_of_group_.clear();
}

void pane_aggregate::drop_finished() {
  for (const auto& [id, table] : firing_->finished)
    drop(pane_entries, id);
}

} // namespace ebb
