/// Saving and loading of pane_aggregate.
///
/// States: 0 = how far windows have fired (one entry a key group, empty key), 1 = panes, 2 = what
/// remains of windows being emitted. Keys of 1 and 2: end and start of the pane or window, then the
/// group's key. Value of 0: times up to which windows have fired, are to fire, and of the watermark
/// to send on; a byte of flags; the first ends of panes that the instance has, in order.
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/pane_aggregate.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <set>

namespace ebb {

void pane_aggregate::drop(std::uint16_t state, const pane_id& id) {
  // Before the first mark nothing has been saved that would have to be erased.
  if (mark_ > 1)
    dropped_.push_back({mark_, state, id});
}

void pane_aggregate::finish_load() {
  loading_ = false;
  for (const auto* tables : {&panes_, &resumed_})
    for (const auto& [id, table] : *tables)
      if (auto added = table->finish_load(); !added && !load_problem_)
        load_problem_ = std::move(added).error();
}

change_mark pane_aggregate::mark() {
  // What was loaded has not changed since.
  if (loading_)
    finish_load();
  for (auto& [id, table] : panes_)
    static_cast<void>(table->index().mark());
  if (merging())
    for (auto& [id, table] : firing_->finished)
      static_cast<void>(table->index().mark());
  std::erase_if(dropped_, [&](const auto& x) { return x.at + marks_kept < mark_; });
  return mark_++;
}

void pane_aggregate::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(!rows_ && !loading_); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  if (key_group == unkeyed_group)
    return;
  sink.put(progress_state, {}, progress_of(key_group));
  const auto erase_dropped = [&](std::uint16_t state) {
    std::vector<std::string> prefixes;
    for (const auto& x : dropped_)
      if (since != 0 && x.at > since && x.state == state)
        prefixes.push_back(pane_prefix(x.id.end, x.id.start));
    std::sort(prefixes.begin(), prefixes.end());
    for (const auto& prefix : prefixes)
      sink.erase_prefix(state, prefix);
  };
  erase_dropped(pane_entries);
  // By key, so the panes that are being put together first: they are the earliest.
  if (merging())
    for (const auto& [id, table] : firing_->finished)
      save_table(*table, id, pane_entries, key_group, since, 0, sink);
  for (const auto& [id, table] : panes_)
    save_table(*table, id, pane_entries, key_group, since, 0, sink);
  erase_dropped(window_entries);
  for (const auto& [id, table] : resumed_)
    save_table(*table, id, window_entries, key_group, since, 0, sink);
  if (!firing_ || merging())
    return;
  // What is left of the window is written whole: it changes as it goes out.
  const auto& f = *firing_;
  if (since != 0)
    sink.erase_prefix(window_entries, pane_prefix(f.window.end, f.window.start));
  save_table(*f.groups, f.window, window_entries, key_group, 0, f.next, sink);
}

std::string pane_aggregate::progress_of(std::uint16_t key_group) const {
  auto fired = merging() ? firing_->fired_before : fired_;
  if (!fired_of_group_.empty())
    fired = std::max(fired, fired_of_group_[key_group]);
  std::string progress;
  for (const auto time : {fired, target_, promised_})
    append_time_key(time, progress);
  const auto ends = pane_ends();
  const auto told = std::min(ends.size(), ends_told);
  const bool window = cold_.window || !resumed_.empty() || (firing_ && !merging());
  progress.push_back(static_cast<char>((window ? has_window : 0)
                                       | (told < ends.size() || cold_.more ? has_more : 0)));
  for (std::size_t i = 0; i < told; ++i)
    append_time_key(ends[i], progress);
  return progress;
}

std::vector<micros> pane_aggregate::pane_ends() const {
  std::set<micros> ends = cold_.ends;
  const auto add = [&](const auto& panes) {
    for (const auto& [id, table] : panes) {
      ends.insert(id.end);
      if (ends.size() > ends_told + cold_.ends.size())
        break; // later ones are not told
    }
  };
  add(panes_);
  if (merging())
    add(firing_->finished);
  return {ends.begin(), ends.end()};
}

std::uint16_t pane_aggregate::group_of(const pane_id& id, std::uint64_t hash) const {
  if (!keys_.empty() || window_.kind != window_kind::attached)
    return key_group_of(hash, shape_.key_groups);
  // Without keys, rows come to the instance that their window's columns say.
  std::vector<column> edges;
  for (const auto& [column_at, time] :
       {std::pair(window_.start_column, id.start), std::pair(window_.end_column, id.end)}) {
    if (column_at < 0)
      continue;
    const auto& type = context_.inputs[0][static_cast<std::size_t>(column_at)];
    if (time == min_time) { // how an unknown start is written down
      edges.push_back(make_null_column(type, 1));
      continue;
    }
    edges.push_back(make_column(type, 1));
    edges.back().mutable_data<micros>()[0] = time;
  }
  hash_keys(pointers_to(edges), 1, &hash);
  return key_group_of(hash, shape_.key_groups);
}

void pane_aggregate::slots_of_group(const aggregate_table& table, const pane_id& id,
                                    std::uint16_t key_group,
                                    std::vector<std::uint32_t>& slots) const {
  if (!keys_.empty())
    table.index().slots_of_group(key_group, slots);
  else if (group_of(id, table.index().live() == 0 ? 0 : table.index().hash_of(0)) == key_group)
    slots.resize(table.index().live(), 0);
}

void pane_aggregate::save_table(const aggregate_table& table, const pane_id& id,
                                std::uint16_t state, std::uint16_t key_group, change_mark since,
                                std::uint32_t first_slot, state_sink& sink) const {
  const auto& index = table.index();
  std::vector<std::uint32_t> slots;
  slots_of_group(table, id, key_group, slots);
  std::erase_if(slots, [&](std::uint32_t slot) {
    return slot < first_slot || (since != 0 && index.changed_at(slot) <= since);
  });
  if (firing_ && &table == firing_->groups && state == window_entries)
    leave_out_fired(slots);
  std::vector<std::string> keys(index.slot_count());
  for (const auto slot : slots)
    index.encode(slot, keys[slot]);
  std::sort(slots.begin(), slots.end(),
            [&](std::uint32_t x, std::uint32_t y) { return keys[x] < keys[y]; });
  table.put(slots, place_of(table, id, state), sink);
}

result<void> pane_aggregate::load_progress(std::uint16_t key_group, std::string_view value) {
  EBB_ASSIGN(const auto fired, take_time_key(value));
  EBB_ASSIGN(const auto target, take_time_key(value));
  EBB_ASSIGN(const auto promised, take_time_key(value));
  if (value.empty())
    return make_error(ec::corrupt, "a window aggregate's progress is too short");
  cold_.window |= (value.front() & has_window) != 0;
  cold_.more |= (value.front() & has_more) != 0;
  value.remove_prefix(1);
  while (!value.empty()) {
    EBB_ASSIGN(const auto end, take_time_key(value));
    cold_.ends.insert(end);
  }
  if (fired_of_group_.empty()) {
    fired_of_group_.assign(shape_.key_groups, min_time);
    fired_ = target_ = promised_ = max_time;
  }
  // Instances that are joined may have been at different points: the least counts, and what a group
  // had fired beyond it is remembered.
  fired_of_group_[key_group] = fired;
  fired_ = std::min(fired_, fired);
  target_ = std::min(target_, target);
  promised_ = std::min(promised_, promised);
  // By processing time: it does not go back.
  if (window_.processing_time && promised != max_time)
    now_ = std::max(now_, promised);
  return {};
}

result<void> pane_aggregate::load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) {
  if (state == progress_state)
    return load_progress(key_group, value);
  pane_id id;
  EBB_ASSIGN(id.end, take_time_key(key));
  EBB_ASSIGN(id.start, take_time_key(key));
  if (state != pane_entries && state != window_entries)
    return make_error(ec::corrupt, "unknown state of a window aggregate");
  auto& table = (state == pane_entries ? panes_ : resumed_)[id];
  if (!table)
    table = make_table();
  loading_ = true;
  return table->load(key, value);
}

} // namespace ebb
