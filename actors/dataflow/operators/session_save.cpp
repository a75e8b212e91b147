/// Saving of session_aggregate while it goes on: a key is written when its turn comes or, earlier,
/// just before its sessions change; ended sessions before they are emitted at the latest.
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/session_aggregate.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

void session_aggregate::begin_save(change_mark since) {
  EBB_ASSERT(!rows_); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  save_ = std::make_unique<frozen_save>();
  auto& s = *save_;
  s.since = since;
  s.progress = progress();
  s.dropped_end = dropped_.size();
  s.next_dropped = since == 0 ? dropped_.size()
                              : static_cast<std::size_t>(
                                  std::partition_point(dropped_.begin(), dropped_.end(),
                                                       [&](const auto& x) { return x.at <= since; })
                                  - dropped_.begin());
  s.next_ended = next_expired_;
  s.ended_end = expired_.size();
  index_.freeze(since);
}

bool session_aggregate::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto& s = *save_;
  const owned_groups own(context_);
  auto left = std::max<std::uint32_t>(1, entries);
  for (; s.next_group < own.count && left != 0; ++s.next_group, --left) {
    sink.select_group(static_cast<std::uint16_t>(own.first + s.next_group));
    if (s.since != 0)
      sink.erase_prefix(ended_sessions, {});
    sink.put(progress_state, {}, s.progress);
  }
  // A key that is gone may be there again: its erasing comes first.
  for (; s.next_dropped < s.dropped_end && left != 0; ++s.next_dropped, --left) {
    sink.select_group(dropped_[s.next_dropped].group);
    sink.erase(open_sessions, dropped_[s.next_dropped].key);
  }
  if (left == 0)
    return true;
  left -= s.early.drain(left, sink);
  if (!s.keys_done && left != 0) {
    std::vector<std::uint32_t> keys;
    s.keys_done = !index_.take_frozen(left, keys);
    put_keys(keys, sink);
    if (!s.keys_done)
      return true;
    left -= std::min(left, static_cast<std::uint32_t>(keys.size()));
  }
  if (const auto end = std::min(s.ended_end, s.next_ended + left); end != s.next_ended) {
    put_ended(s.next_ended, end, sink);
    s.next_ended = end;
  }
  if (!s.keys_done || s.next_ended < s.ended_end || !s.early.empty())
    return true;
  index_.unfreeze();
  save_.reset();
  return false;
}

void session_aggregate::put_keys(std::span<const std::uint32_t> keys, state_sink& sink) const {
  std::vector<key_sessions> entries;
  std::vector<session_store::session> list;
  for (const auto key : keys) {
    const auto first = static_cast<std::uint32_t>(list.size());
    sessions_.sessions_of(key, list);
    entries.push_back({key, first, static_cast<std::uint32_t>(list.size()) - first});
  }
  put_sessions(entries, list, open_sessions, save_->since != 0, sink);
}

void session_aggregate::put_ended(std::size_t first, std::size_t end, state_sink& sink) const {
  std::vector<key_sessions> entries;
  for (auto at = first; at < end; ++at)
    entries.push_back({expired_[at].key, static_cast<std::uint32_t>(at - first), 1});
  put_sessions(entries, std::span(expired_).subspan(first, end - first), ended_sessions, false,
               sink);
}

void session_aggregate::preserve(std::span<const session_store::session> gone) {
  auto& keys = index_.preserved();
  if (!save_ || keys.empty())
    return;
  if (gone.empty()) {
    put_keys(keys, save_->early);
  } else {
    std::vector<session_store::session> by_key(gone.begin(), gone.end());
    std::sort(by_key.begin(), by_key.end(),
              [](const auto& a, const auto& b) { return a.key < b.key; });
    std::vector<key_sessions> entries;
    std::vector<session_store::session> list;
    for (const auto key : keys) {
      const auto first = static_cast<std::uint32_t>(list.size());
      auto at = std::lower_bound(by_key.begin(), by_key.end(), key,
                                 [](const auto& x, std::uint32_t k) { return x.key < k; });
      for (; at != by_key.end() && at->key == key; ++at)
        list.push_back(*at);
      sessions_.sessions_of(key, list);
      std::sort(list.begin() + first, list.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      entries.push_back({key, first, static_cast<std::uint32_t>(list.size()) - first});
    }
    put_sessions(entries, list, open_sessions, save_->since != 0, save_->early);
  }
  keys.clear();
}

} // namespace ebb
