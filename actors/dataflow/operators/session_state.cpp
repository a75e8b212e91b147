/// Saving and loading of session_aggregate.
///
/// States: 0 = how far sessions have fired (one entry a key group, empty key), 1 = the open
/// sessions of a key, 2 = ended sessions that are being emitted (key: end, first row, then the
/// group's key). Values: the key's exact values where its canonical bytes lose something, then for
/// each session first and last row and the calls' states.
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/session_aggregate.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

result<column> read_one(std::string_view& bytes, const sql_type& type) {
  value_builder one(type, 1);
  EBB_TRY(one.append_encoded(bytes));
  return one.take();
}

} // namespace

void session_aggregate::forget_key(std::uint32_t key) {
  if (sessions_.count(key) != 0)
    return;
  if (save_) { // it may still have to be written
    index_.touch(key);
    preserve();
  }
  if (mark_ > 1) {
    std::string bytes;
    index_.encode(key, bytes);
    dropped_.push_back(
        {mark_, key_group_of(index_.hash_of(key), shape_.key_groups), std::move(bytes)});
  }
  index_.erase(key);
}

change_mark session_aggregate::mark() {
  save_.reset(); // given up
  static_cast<void>(index_.mark());
  std::erase_if(dropped_, [&](const auto& x) { return x.at + marks_kept < mark_; });
  return mark_++;
}

std::string session_aggregate::progress() const {
  std::string value;
  for (const auto time : {fired_, target_, promised_})
    append_time_key(time, value);
  return value;
}

std::uint16_t session_aggregate::group_of(std::uint32_t key) const {
  return key_group_of(index_.hash_of(key), shape_.key_groups);
}

void session_aggregate::put_sessions(std::span<const key_sessions> keys,
                                     std::span<const session_store::session> list,
                                     std::uint16_t state, bool erases, state_sink& sink) const {
  if (keys.empty())
    return;
  std::vector<std::uint32_t> slots;
  std::vector<std::uint32_t> numbers;
  for (const auto& x : keys)
    slots.push_back(x.key);
  for (const auto& x : list)
    numbers.push_back(x.number);
  std::vector<column> key_values;
  for (std::size_t k = 0; k < shape_.key_types.size(); ++k)
    key_values.push_back(index_.key_column(k, slots));
  std::vector<column> states;
  if (!numbers.empty())
    for (const auto& call : calls_)
      for (auto& x : call->state(numbers))
        states.push_back(std::move(x));
  std::string key;
  std::string value;
  for (std::uint32_t i = 0; i < keys.size(); ++i) {
    const auto& x = keys[i];
    if (x.count == 0 && !erases)
      continue;
    key.clear();
    if (state == ended_sessions) {
      append_time_key(sessions_.end_of(list[x.first].last), key);
      append_time_key(list[x.first].first, key);
    }
    for (const auto& part : key_values)
      encode_key_value(part, i, key);
    sink.select_group(group_of(x.key));
    if (x.count == 0) {
      sink.erase(state, key);
      continue;
    }
    value.clear();
    if (!index_.exact())
      for (const auto& part : key_values)
        append_value(part, i, value);
    for (auto at = x.first; at < x.first + x.count; ++at) {
      append_time_key(list[at].first, value);
      append_time_key(list[at].last, value);
      for (const auto& part : states)
        append_value(part, at, value);
    }
    sink.put(state, key, value);
  }
}

void session_aggregate::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(!rows_); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  if (key_group == unkeyed_group)
    return;
  sink.put(progress_state, {}, progress());
  if (since != 0)
    for (const auto& x : dropped_)
      if (x.at > since && x.group == key_group)
        sink.erase(open_sessions, x.key);
  std::vector<std::uint32_t> slots;
  index_.slots_of_group(key_group, slots);
  std::erase_if(slots,
                [&](std::uint32_t key) { return since != 0 && index_.changed_at(key) <= since; });
  std::vector<key_sessions> keys;
  std::vector<session_store::session> list;
  for (const auto key : slots) {
    const auto first = static_cast<std::uint32_t>(list.size());
    sessions_.sessions_of(key, list);
    keys.push_back({key, first, static_cast<std::uint32_t>(list.size()) - first});
  }
  put_sessions(keys, list, open_sessions, since != 0, sink);
  // What is being emitted is written whole: it changes as it goes out.
  if (since != 0)
    sink.erase_prefix(ended_sessions, {});
  keys.clear();
  list.clear();
  for (auto at = next_expired_; at < expired_.size(); ++at)
    if (group_of(expired_[at].key) == key_group) {
      keys.push_back({expired_[at].key, static_cast<std::uint32_t>(list.size()), 1});
      list.push_back(expired_[at]);
    }
  put_sessions(keys, list, ended_sessions, false, sink);
}

result<std::uint32_t> session_aggregate::load_key(std::string_view key, std::string_view& value) {
  std::uint32_t slot = 0;
  if (index_.exact()) {
    EBB_ASSIGN(slot, index_.resolve_encoded(key));
  } else {
    std::vector<column> columns;
    for (const auto& type : shape_.key_types) {
      EBB_ASSIGN(auto x, read_one(value, type));
      columns.push_back(std::move(x));
    }
    const auto pointers = pointers_to(columns);
    std::uint64_t hash = 0;
    hash_keys(pointers, 1, &hash);
    index_.resolve(pointers, &hash, nullptr, 1, &slot);
  }
  sessions_.resize(index_.slot_count());
  return slot;
}

result<void> session_aggregate::load_states(std::uint32_t number, std::string_view& value) {
  for (std::size_t c = 0; c < calls_.size(); ++c) {
    std::vector<column> state;
    for (const auto& type : shape_.states[c]) {
      EBB_ASSIGN(auto x, read_one(value, type));
      state.push_back(std::move(x));
    }
    calls_[c]->resize(sessions_.number_count());
    EBB_TRY(calls_[c]->merge_state({&number, 1}, state));
  }
  return {};
}

result<void> session_aggregate::load(std::uint16_t, std::uint16_t state, std::string_view key,
                                     std::string_view value) {
  if (state == progress_state) {
    EBB_ASSIGN(const auto fired, take_time_key(value));
    EBB_ASSIGN(const auto target, take_time_key(value));
    EBB_ASSIGN(const auto promised, take_time_key(value));
    // Instances that are joined may have been at different points: the least counts. A session that
    // has gone out is no longer in the state, so none goes out twice.
    const bool first = fired_ == min_time && promised_ == min_time;
    fired_ = first ? fired : std::min(fired_, fired);
    target_ = first ? target : std::min(target_, target);
    promised_ = first ? promised : std::min(promised_, promised);
    // By processing time: it does not go back.
    if (window_.processing_time && promised != max_time)
      now_ = std::max(now_, promised);
    return {};
  }
  if (state == ended_sessions) {
    EBB_TRY(take_time_key(key));
    EBB_TRY(take_time_key(key));
  } else if (state != open_sessions) {
    return make_error(ec::corrupt, "unknown state of a session aggregate");
  }
  EBB_ASSIGN(const auto slot, load_key(key, value));
  while (!value.empty()) {
    EBB_ASSIGN(const auto first, take_time_key(value));
    EBB_ASSIGN(const auto last, take_time_key(value));
    std::uint32_t number = 0;
    if (state == open_sessions) {
      number = sessions_.restore(slot, first, last);
    } else {
      const auto x = sessions_.restore_expired(slot, first, last);
      expired_.push_back(x);
      number = x.number;
    }
    EBB_TRY(load_states(number, value));
  }
  return {};
}

} // namespace ebb
