/// Saving of a windowed join while it goes on. Rows are only appended to a window, so what there
/// was is the front of its lists; who had met a partner is told by change number, and how far the
/// join of the first window had come by a copy. Windows that go meanwhile are kept until they are
/// written.
#include "actors/dataflow/operators/window_join_state.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

void window_join_state::begin_save(change_mark since, micros watermark) {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  save_.emplace();
  auto& x = *save_;
  x.since = since;
  x.until = current_ - 1;
  x.watermark = watermark;
  x.drops.start(dropped_, since);
  if (fire_.active()) {
    x.progress = fire_;
    if (since != 0)
      x.fired_prefix = prefix_of(windows_.begin()->first);
  }
  for (const auto& window : windows_) {
    frozen_lists lists{is_firing(window), {}, {}};
    for (std::size_t s = 0; s < 2; ++s) {
      const auto& side = window.second.sides[s];
      lists.next[s] = {first_place(window, s, false, since), first_place(window, s, true, since)};
      lists.end[s] = {side.joinable.size(), side.lone.size()};
    }
    x.windows.add(window, lists);
  }
}

bool window_join_state::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto left = std::max(1U, entries);
  if (!erase_gone(left, sink))
    return true;
  const bool all = save_->windows.put_all(
      [&](auto& window, auto& part) { return put_rows(window, part, left, sink); });
  if (!all)
    return true;
  save_.reset();
  return false;
}

// True = all.
bool window_join_state::erase_gone(std::uint32_t& left, state_sink& sink) {
  const auto begin = [&](std::uint32_t i) {
    const bool unkeyed = i == own_.count;
    sink.select_group(unkeyed ? unkeyed_group : static_cast<std::uint16_t>(own_.first + i));
    std::string before;
    if (unkeyed)
      put_writer(own_.first, before);
    return before;
  };
  const auto end = [&](std::uint32_t i) {
    if (i == own_.count) {
      if (rewrites(save_->since))
        erase_writers(sink);
      return;
    }
    for (std::uint16_t state = 0; state < 2 && !save_->fired_prefix.empty(); ++state)
      sink.erase_prefix(state, save_->fired_prefix);
    acted_watermark::save(save_->watermark, watermark_state, sink);
  };
  const auto groups = own_.count + (spec_.spread >= 0 ? 1U : 0U);
  return save_->drops.save(dropped_, groups, left, sink, begin, end);
}

// True = all of the window's rows.
bool window_join_state::put_rows(const window_map::value_type& window, frozen_lists& lists,
                                 std::uint32_t& left, state_sink& sink) const {
  const auto* fired = lists.firing ? &save_->progress : nullptr;
  std::string key;
  std::string value;
  for (std::uint8_t side = 0; side < 2; ++side)
    for (const bool lone : {false, true})
      for (auto& at = lists.next[side][lone ? 1 : 0]; at < lists.end[side][lone ? 1 : 0];
           ++at, --left) {
        if (left == 0)
          return false;
        const listed_row row{&window, side, lone, at};
        if (!is_left(row, fired, save_->until))
          continue;
        const auto group = group_of(row);
        key.clear();
        put_key(row, key);
        put_value(row, fired, save_->until, value);
        sink.select_group(group == key_groups_ ? unkeyed_group : group);
        sink.put(side, key, value);
      }
  return true;
}

// Lists the rows that changed since a mark, by key group.
void window_join_state::sort_rows(change_mark since) const {
  if (buckets_fresh_ && buckets_since_ == since)
    return;
  buckets_fresh_ = true;
  buckets_since_ = since;
  saved_.clear();
  for (const auto& window : windows_) {
    const auto* fired = is_firing(window) ? &fire_ : nullptr;
    for (std::uint8_t s = 0; s < 2; ++s)
      for (const bool lone : {false, true}) {
        listed_row x{&window, s, lone, first_place(window, s, lone, since)};
        for (; x.at < list_of(x).size(); ++x.at)
          if (is_left(x, fired, UINT32_MAX))
            saved_.push_back(x);
      }
  }
  buckets_.build(static_cast<std::uint16_t>(key_groups_ + 1),
                 static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return group_of(saved_[i]); });
}

void window_join_state::save(std::uint16_t key_group, change_mark since, micros watermark,
                             state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  const bool unkeyed = key_group == unkeyed_group;
  if (unkeyed && spec_.spread < 0)
    return;
  sort_rows(since);
  std::string before;
  if (unkeyed) {
    put_writer(own_.first, before);
    if (rewrites(since))
      erase_writers(sink);
  }
  dropped_.save(since, 2, sink, before);
  if (since != 0 && fire_.active() && !unkeyed)
    for (std::uint16_t state = 0; state < 2; ++state)
      sink.erase_prefix(state, prefix_of(windows_.begin()->first));
  std::array<entry_list, 2> entries;
  for (const auto i : buckets_.of(unkeyed ? key_groups_ : key_group)) {
    const auto& x = saved_[i];
    std::string key;
    std::string value;
    put_key(x, key);
    put_value(x, is_firing(*x.window) ? &fire_ : nullptr, UINT32_MAX, value);
    entries[x.side].add(std::move(key), std::move(value));
  }
  for (std::uint16_t state = 0; state < 2; ++state)
    entries[state].put_sorted(state, sink);
  if (!unkeyed)
    acted_watermark::save(watermark, watermark_state, sink);
}

} // namespace ebb
