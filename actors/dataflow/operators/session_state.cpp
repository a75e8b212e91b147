/// Saving and loading of session_aggregate.
///
/// States: 0 = how far sessions have fired (one entry a key group, empty key), 1 = the open
/// sessions of a key, 2 = ended sessions that are being emitted (key: end, first row, then the
/// group's key). Values: the key's exact values where its canonical bytes lose something, then for
/// each session first and last row and the calls' states.
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/session_aggregate.hpp"
#include "actors/dataflow/operators/time_keys.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <map>
#include <optional>

namespace ebb {

namespace {

constexpr std::uint16_t progress_state = 0;
constexpr std::uint16_t open_sessions = 1;
constexpr std::uint16_t ended_sessions = 2;

result<column> read_one(std::string_view& bytes, const sql_type& type) {
  value_builder one(type, 1);
  EBB_TRY(one.append_encoded(bytes));
  return one.take();
}

} // namespace

void session_aggregate::forget_key(std::uint32_t key) {
  if (sessions_.count(key) != 0)
    return;
  if (mark_ > 1) {
    std::string bytes;
    index_.encode(key, bytes);
    dropped_.push_back(
        {mark_, key_group_of(index_.hash_of(key), shape_.key_groups), std::move(bytes)});
  }
  index_.erase(key);
}

change_mark session_aggregate::mark() {
  static_cast<void>(index_.mark());
  std::erase_if(dropped_, [&](const auto& x) { return x.at + marks_kept < mark_; });
  return mark_++;
}

std::string
session_aggregate::save_sessions(std::uint32_t key,
                                 const std::vector<session_store::session>& list) const {
  std::string value;
  if (!index_.exact())
    for (std::size_t k = 0; k < shape_.key_types.size(); ++k)
      append_value(index_.key_column(k, {&key, 1}), 0, value);
  for (const auto& x : list) {
    append_time_key(x.first, value);
    append_time_key(x.last, value);
    for (const auto& call : calls_)
      for (const auto& state : call->state({&x.number, 1}))
        append_value(state, 0, value);
  }
  return value;
}

void session_aggregate::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(!rows_); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  if (key_group == unkeyed_group)
    return;
  std::string progress;
  for (const auto time : {fired_, target_, promised_})
    append_time_key(time, progress);
  sink.put(progress_state, {}, progress);

  std::map<std::string, std::optional<std::string>> open; // nothing = erase
  for (const auto& x : dropped_)
    if (since != 0 && x.at > since && x.group == key_group)
      open[x.key] = std::nullopt;
  std::vector<std::uint32_t> keys;
  index_.slots_of_group(key_group, keys);
  for (const auto key : keys) {
    if (since != 0 && index_.changed_at(key) <= since)
      continue;
    std::string bytes;
    index_.encode(key, bytes);
    std::vector<session_store::session> list;
    sessions_.sessions_of(key, list);
    if (!list.empty())
      open[bytes] = save_sessions(key, list);
    else if (since != 0)
      open[bytes] = std::nullopt; // all its sessions have ended
  }
  for (const auto& [key, value] : open) {
    if (value)
      sink.put(open_sessions, key, *value);
    else
      sink.erase(open_sessions, key);
  }

  // What is being emitted is written whole: it changes as it goes out.
  if (since != 0)
    sink.erase_prefix(ended_sessions, {});
  std::map<std::string, std::string> ended;
  for (auto at = next_expired_; at < expired_.size(); ++at) {
    const auto& x = expired_[at];
    if (key_group_of(index_.hash_of(x.key), shape_.key_groups) != key_group)
      continue;
    std::string key;
    append_time_key(sessions_.end_of(x.last), key);
    append_time_key(x.first, key);
    index_.encode(x.key, key);
    ended[key] = save_sessions(x.key, {x});
  }
  for (const auto& [key, value] : ended)
    sink.put(ended_sessions, key, value);
}

result<std::uint32_t> session_aggregate::load_key(std::string_view key, std::string_view& value) {
  std::uint32_t slot = 0;
  if (index_.exact()) {
    EBB_ASSIGN(slot, index_.resolve_encoded(key));
  } else {
    std::vector<column> columns;
    std::vector<const column*> pointers;
    for (const auto& type : shape_.key_types) {
      EBB_ASSIGN(auto x, read_one(value, type));
      columns.push_back(std::move(x));
    }
    for (const auto& x : columns)
      pointers.push_back(&x);
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
