/// Saving of pane_aggregate while it goes on.
///
/// What changed since the mark before is frozen table by table. A group is written when its turn
/// comes or, earlier, just before it changes. Groups of a window that is being emitted do not
/// change; they are written before they are emitted at the latest.
#include "actors/dataflow/operators/pane_aggregate.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

aggregate_table::entry_place pane_aggregate::place_of(const aggregate_table& table,
                                                      const pane_id& id,
                                                      std::uint16_t state) const {
  aggregate_table::entry_place place{pane_prefix(id.end, id.start), state, -1};
  if (keys_.empty())
    place.key_group = group_of(id, table.index().live() == 0 ? 0 : table.index().hash_of(0));
  return place;
}

void pane_aggregate::freeze_table(aggregate_table& table, const pane_id& id, std::uint16_t state) {
  table.freeze(save_->since, place_of(table, id, state), save_->early);
  save_->tables.push_back(&table);
}

void pane_aggregate::begin_save(change_mark since) {
  EBB_ASSERT(!rows_); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  end_save();
  save_ = std::make_unique<frozen_save>();
  auto& s = *save_;
  s.since = since;
  const owned_groups own(context_);
  for (std::uint16_t i = 0; i < own.count; ++i)
    s.progress.push_back(progress_of(static_cast<std::uint16_t>(own.first + i)));
  if (since != 0)
    std::copy_if(dropped_.begin(), dropped_.end(), std::back_inserter(s.dropped),
                 [&](const auto& x) { return x.at > since; });
  if (merging())
    for (auto& [id, table] : firing_->finished)
      freeze_table(*table, id, pane_entries);
  for (auto& [id, table] : panes_)
    freeze_table(*table, id, pane_entries);
  if (since == 0) // they have not changed since they were loaded
    for (auto& [id, table] : resumed_)
      freeze_table(*table, id, window_entries);
  if (!firing_ || merging())
    return;
  // What is left of the window is written whole: it gets less as it goes out.
  const auto& f = *firing_;
  if (since != 0)
    s.dropped.push_back({mark_, window_entries, f.window});
  s.window = f.groups;
  s.window_next = f.next;
  s.window_end = f.groups->index().slot_count();
  s.window_place = place_of(*f.groups, f.window, window_entries);
}

void pane_aggregate::end_save() {
  if (!save_)
    return;
  const auto done = std::move(save_);
  for (auto at = done->next_table; at < done->tables.size(); ++at)
    done->tables[at]->unfreeze();
  for (auto& table : done->kept)
    recycle(std::move(table));
}

bool pane_aggregate::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto& s = *save_;
  const owned_groups own(context_);
  auto left = std::max<std::uint32_t>(1, entries);
  const auto spend = [&](std::size_t count) {
    left -= static_cast<std::uint32_t>(std::min<std::size_t>(left, count));
  };
  // Before anything is put, what is gone is erased.
  for (; s.next_group < own.count && left != 0; ++s.next_group) {
    sink.select_group(static_cast<std::uint16_t>(own.first + s.next_group));
    for (const auto& x : s.dropped)
      sink.erase_prefix(x.state, pane_prefix(x.id.end, x.id.start));
    sink.put(progress_state, {}, s.progress[s.next_group]);
    spend(1 + s.dropped.size());
  }
  if (s.next_group < own.count)
    return true;
  spend(s.early.drain(left, sink));
  while (s.next_table < s.tables.size() && left != 0) {
    bool all = false;
    spend(s.tables[s.next_table]->save_frozen(left, sink, all));
    if (!all)
      return true;
    ++s.next_table;
  }
  if (s.window != nullptr && left != 0)
    put_window(std::min(s.window_end, s.window_next + left), sink);
  const bool window_done = s.window == nullptr || s.window_next == s.window_end;
  if (s.next_table < s.tables.size() || !window_done || !s.early.empty())
    return true;
  end_save();
  return false;
}

void pane_aggregate::put_window(std::uint32_t end, state_sink& sink) {
  auto& s = *save_;
  std::vector<std::uint32_t> slots(end - s.window_next);
  std::iota(slots.begin(), slots.end(), s.window_next);
  s.window_next = end;
  leave_out_fired(slots);
  s.window->put(slots, s.window_place, sink);
}

} // namespace ebb
