/// Saving of group_calls while it goes on, and loading. Groups, values of sets and values of
/// ordered sets are three states; the table and the sets freeze what changed, each by itself.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/group_calls.hpp"
#include "actors/dataflow/value_builder.hpp"

#include <algorithm>

namespace ebb {

void group_calls::mark() {
  table_.unfreeze();
  each_set([](value_set& x) { x.mark(); });
  early_ = nullptr;
  table_saved_ = true;
  table_.index().mark();
  erased_.forget(asked_);
  ++now_;
}

void group_calls::begin_save(change_mark since) {
  early_ = std::make_unique<saved_entries>();
  since_ = since;
  asked_ = std::max(asked_, since);
  erased_end_ = erased_.end();
  next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
  table_saved_ = false;
  table_.freeze(since, {{}, group_entries, -1}, *early_);
  each_set([&](value_set& x) { x.begin_save(since, *early_); });
}

bool group_calls::save_slice(std::uint32_t& left, state_sink& sink) {
  if (!early_)
    return true;
  erased_.save(next_erased_, erased_end_, since_, group_entries, left, sink);
  bool erased = next_erased_ == erased_end_;
  each_set([&](value_set& x) { erased = erased && x.erase_slice(left, sink); });
  if (!erased)
    return false;
  left -= std::min(left, early_->drain(left, sink));
  if (!table_saved_ && left != 0)
    left -= std::min(left, std::max(1U, table_.save_frozen(left, sink, table_saved_)));
  bool all = table_saved_;
  each_set([&](value_set& x) { all = all && left != 0 && x.save_slice(left, sink); });
  if (!all || !early_->empty())
    return false;
  early_ = nullptr;
  return true;
}

void group_calls::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  if (since != 0)
    erased_.save_group(key_group, since, group_entries, sink);
  std::vector<std::uint32_t> slots;
  table_.index().slots_of_group(key_group, slots);
  std::sort(slots.begin(), slots.end());
  auto changed = slots;
  std::erase_if(changed,
                [&](std::uint32_t slot) { return table_.index().changed_at(slot) <= since; });
  table_.put(changed, {{}, group_entries, -1}, sink);
  for (const auto& set : sets_)
    set.values->save_group(slots, key_group, since, sink);
  for (const auto& x : ordered_)
    x->values().save_group(slots, key_group, since, sink);
}

result<void> group_calls::load(std::uint16_t state, std::string_view key, std::string_view value) {
  if (state == group_entries) {
    EBB_TRY(table_.load(key, value));
    note_loaded();
    return {};
  }
  if (state == value_set::block_state) {
    const auto set = key.empty() ? SIZE_MAX : static_cast<std::uint8_t>(key.front());
    if (set < sets_.size())
      return sets_[set].values->load_block(key.substr(1), value,
                                           [this](std::string_view x) { return take_owner(x); });
    return make_error(ec::corrupt, "unknown values of an aggregate");
  }
  EBB_ASSIGN(const auto owner, take_owner(key));
  const auto number = key.empty() ? SIZE_MAX : static_cast<std::uint8_t>(key.front());
  if (state == set_entries && number < sets_.size())
    return sets_[number].values->load(owner, key.substr(1), value);
  if (state == ordered_entries && number < ordered_.size())
    return ordered_[number]->values().load(owner, key.substr(1), value);
  return make_error(ec::corrupt, "unknown state of an aggregate");
}

// Saves have seen the groups that were added.
void group_calls::note_loaded() {
  if (!goes_ || table_.has_pending())
    return;
  born_.resize(table_.index().slot_count(), 0);
  for (const auto slot : table_.last_slots())
    born_[slot] = 1;
}

// The group whose key the entry's begins with. It is loaded before its values are.
result<std::uint32_t> group_calls::take_owner(std::string_view& key) {
  if (last_slot_ != key_index::no_slot && key.starts_with(last_owner_)
      && !shape_.key_types.empty()) {
    key.remove_prefix(last_owner_.size());
    return last_slot_;
  }
  if (table_.has_pending()) {
    EBB_TRY(table_.finish_load());
    note_loaded();
  }
  const auto all = key;
  std::vector<column> values;
  for (const auto& type : shape_.key_types) {
    EBB_ASSIGN(auto x, decode_key_value(key, type));
    values.push_back(std::move(x));
  }
  const auto columns = pointers_to(values);
  std::uint64_t hash = 0;
  hash_keys(columns, 1, &hash);
  table_.index().find(columns, &hash, nullptr, 1, &last_slot_);
  if (last_slot_ == key_index::no_slot)
    return make_error(ec::corrupt, "an aggregate's value has no group");
  last_owner_ = all.substr(0, all.size() - key.size());
  return last_slot_;
}

result<void> group_calls::finish_load() {
  if (table_.has_pending()) {
    EBB_TRY(table_.finish_load());
    note_loaded();
  }
  for (auto& set : sets_) {
    EBB_TRY(set.values->finish_load());
    set.values->forget();
  }
  for (auto& x : ordered_)
    EBB_TRY(x->finish_load());
  last_slot_ = key_index::no_slot;
  return {};
}

} // namespace ebb
