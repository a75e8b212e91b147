#include "actors/dataflow/operators/interval_state.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/window_fire.hpp"

#include <algorithm>

namespace ebb {

interval_state::interval_state(const interval_join_spec& spec, const operator_context& context)
    : bounds{spec.lower, spec.upper}, sides{side_state(context.inputs[0], spec.left_time,
                                                       spec.left_keys,
                                                       ebb::keeps_unmatched(spec.type, 0)),
                                            side_state(context.inputs[1], spec.right_time,
                                                       spec.right_keys,
                                                       ebb::keeps_unmatched(spec.type, 1))},
      acted(context.key_groups), key_groups_(context.key_groups), spread_(spec.spread),
      own_(context) {}

void interval_state::note_rows(std::size_t s, std::span<const std::uint32_t> rows, micros oldest,
                               micros newest) {
  auto& side = sides[s];
  if (const auto pane = bounds.pane_end(s, oldest); pane == bounds.pane_end(s, newest)) {
    note_pane(pane);
  } else {
    for (const auto row : rows)
      note_pane(bounds.pane_end(s, side.rows.time_of(row)));
  }
  if (spread_ >= 0 && !is_spread(s)) {
    side.homes.grow(side.rows.rows(), 0);
    for (const auto row : rows)
      side.homes.at(side.rows.rows(), row) = own_.pick(side.rows.rows().sequence_of(row));
  }
  if (!side.keeps_unmatched)
    return;
  side.settled.grow(side.rows.rows(), 0);
  side.waiting.resize(side.rows.rows().chunk_count(), max_time);
  for (const auto row : rows) {
    auto& waiting = side.waiting[side.rows.rows().chunk_of(row)];
    waiting = std::min(waiting, side.rows.time_of(row));
  }
}

void interval_state::note_pane(micros end) {
  if (end != last_pane_)
    panes_.insert(end);
  last_pane_ = end;
}

void interval_state::settle(std::size_t s, std::span<const std::uint32_t> rows) {
  auto& side = sides[s];
  if (!side.keeps_unmatched)
    return;
  for (const auto row : rows) {
    auto& settled = side.settled.at(side.rows.rows(), row);
    if (settled == 0 && current_ > 1)
      settled_log_.push_back({current_, {row, static_cast<std::uint8_t>(s)}});
    if (settled == 0)
      settled = current_;
  }
}

void interval_state::drop_expired(micros watermark) {
  released = watermark;
  for (std::size_t s = 0; s < 2; ++s) {
    auto& side = sides[s];
    // Not before the rows' panes: an entry that is still in a pane must be known to be settled.
    while (!save_ && side.rows.rows().chunk_count() != 0
           && bounds.pane_end(s, side.rows.newest_time(0)) <= watermark) {
      side.rows.drop_oldest();
      side.homes.drop_oldest();
      if (side.keeps_unmatched) {
        side.settled.drop_oldest();
        side.waiting.erase(side.waiting.begin());
      }
    }
  }
  while (!panes_.empty() && *panes_.begin() <= watermark) {
    if (current_ > 1) {
      std::string prefix;
      put_time(*panes_.begin(), prefix);
      dropped_.add(current_, std::move(prefix));
    }
    panes_.erase(panes_.begin());
    last_pane_ = min_time;
  }
}

change_mark interval_state::mark() {
  if (auto built = finish_load(); !built)
    load_failure_ = std::move(built).error();
  save_.reset(); // given up
  dropped_.forget();
  std::erase_if(settled_log_, [&](const auto& x) { return x.first <= dropped_.asked(); });
  for (auto& side : sides)
    side.marks.mark(side.rows.rows().next_sequence());
  return current_++;
}

std::uint16_t interval_state::group_of(std::size_t s, std::uint32_t row) const {
  std::uint64_t hash = 0;
  hash_stored(sides[s].rows.rows(), sides[s].keys, {&row, 1}, &hash);
  return key_group_of(hash, key_groups_);
}

// Where rows are saved. Bucket `key_groups_`: with no key group.
void interval_state::groups_of(std::size_t s, std::span<const std::uint32_t> rows,
                               std::vector<std::uint16_t>& groups) const {
  const auto& store = sides[s].rows.rows();
  if (is_spread(s)) {
    groups.insert(groups.end(), rows.size(), key_groups_);
  } else if (spread_ >= 0) {
    for (const auto row : rows)
      groups.push_back(sides[s].homes.at(store, row));
  } else {
    std::vector<std::uint64_t> hashes(rows.size());
    hash_stored(store, sides[s].keys, rows, hashes.data());
    for (const auto hash : hashes)
      groups.push_back(key_group_of(hash, key_groups_));
  }
}

// Lists the rows that changed since a mark, by key group.
void interval_state::sort_rows(change_mark since) const {
  if (saved_fresh_ && saved_since_ == since)
    return;
  saved_fresh_ = true;
  saved_since_ = since;
  saved_.clear();
  std::vector<std::uint16_t> groups;
  for (std::uint8_t s = 0; s < 2; ++s) {
    const auto& side = sides[s].rows;
    const auto& store = side.rows();
    const auto first = is_spread(s) && rewrites(since) ? 0 : sides[s].marks.first_after(since);
    std::vector<std::uint32_t> rows;
    const auto add = [&](std::uint32_t row) {
      if (bounds.pane_end(s, side.time_of(row)) > released)
        rows.push_back(row);
    };
    for (const auto& [changed_at, x] : settled_log_)
      if (since != 0 && changed_at > since && x.side == s
          && store.chunk_of(x.row) < store.chunk_count() && store.sequence_of(x.row) < first)
        add(x.row);
    for (std::uint32_t c = store.chunk_count(); c-- > 0;) {
      // Sequences rise with the row numbers.
      if (store.sequence_of(store.row_at(c, store.rows_in(c) - 1)) < first)
        break;
      for (std::uint32_t place = 0; place < store.rows_in(c); ++place)
        if (store.sequence_of(store.row_at(c, place)) >= first)
          add(store.row_at(c, place));
    }
    groups_of(s, rows, groups);
    for (const auto row : rows)
      saved_.push_back({row, s});
  }
  buckets_.build(static_cast<std::uint16_t>(key_groups_ + 1),
                 static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return groups[i]; });
}

void interval_state::save(std::uint16_t key_group, change_mark since, micros watermark,
                          state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  const bool unkeyed = key_group == unkeyed_group;
  if (unkeyed && spread_ < 0)
    return;
  sort_rows(since);
  std::string before;
  if (unkeyed) {
    put_writer(own_.first, before);
    if (rewrites(since))
      erase_writers(sink);
  }
  dropped_.save(since, 2, sink, before);
  std::array<entry_list, 2> entries;
  for (const auto i : buckets_.of(unkeyed ? key_groups_ : key_group)) {
    const auto& x = saved_[i];
    const auto& side = sides[x.side];
    const auto& store = side.rows.rows();
    auto key = before;
    put_time(bounds.pane_end(x.side, side.rows.time_of(x.row)), key);
    put_row_key(store, side.keys, x.row, key);
    put_sequence(store.sequence_of(x.row), key);
    const bool settled = side.keeps_unmatched && side.settled.at(store, x.row) != 0;
    std::string value(1, settled ? '\1' : '\0');
    store.encode(x.row, value);
    entries[x.side].add(std::move(key), std::move(value));
  }
  for (std::uint16_t s = 0; s < 2; ++s)
    entries[s].put_sorted(s, sink);
  if (unkeyed)
    return;
  if (spread_ < 0)
    save_searches(key_group, since, sink);
  else
    EBB_ASSERT(next_task == tasks.size());
  acted_watermark::save(watermark, watermark_state, sink);
}

// Searches are few and short-lived: each save replaces the group's.
void interval_state::save_searches(std::uint16_t key_group, change_mark since,
                                   state_sink& sink) const {
  if (since != 0 && searches_saved_at_ >= since)
    sink.erase_prefix(search_state, {});
  entry_list entries;
  for (auto t = next_task; t < tasks.size(); ++t) {
    const auto& task = tasks[t];
    const auto& side = sides[task.side];
    const auto& other = sides[1 - task.side].rows;
    for (std::size_t i = task.few ? 0 : task.at; i < task.rows.size(); ++i) {
      const auto row = task.rows[i];
      if (group_of(task.side, row) != key_group)
        continue;
      auto below = task.below;
      if (task.few)
        below = other.rows().sequence_of(task.partners[task.at]) + 1;
      else if (i == task.at && task.place.started)
        below = std::min(below, other.unseen_below(task.place));
      std::string key;
      put_row_key(side.rows.rows(), side.keys, row, key);
      key.push_back(static_cast<char>(task.side));
      put_sequence(side.rows.rows().sequence_of(row), key);
      std::string value;
      put_sequence(below, value);
      entries.add(std::move(key), std::move(value));
      searches_saved_at_ = current_;
    }
  }
  entries.put_sorted(search_state, sink);
}

result<void> interval_state::load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) {
  if (state == watermark_state)
    return acted.load(key_group, value);
  const bool unkeyed = key_group == unkeyed_group;
  if (state > search_state || unkeyed != is_spread(state))
    return make_error(ec::corrupt, "an interval join's state entry has an unknown kind");
  if (unkeyed) {
    EBB_ASSIGN(const auto writer, take_writer(key));
    EBB_ASSIGN(const auto pane, take_time(key));
    if (value.empty())
      return make_error(ec::corrupt, "an interval join's row is empty");
    if (own_.contains(writer) && (writers_.empty() || writers_.back() != writer))
      writers_.push_back(writer);
    note_pane(pane);
    loaded_spread_.push_back({pane, std::string(value), writer});
    return {};
  }
  loaded_entry entry;
  entry.key_group = key_group;
  EBB_ASSIGN(entry.sequence, take_last_sequence(key));
  if (state == search_state) {
    if (key.empty() || static_cast<std::uint8_t>(key.back()) > 1)
      return make_error(ec::corrupt, "an interval join's search entry has no side");
    entry.side = static_cast<std::uint8_t>(key.back());
    key.remove_suffix(1);
  } else {
    EBB_ASSIGN(const auto pane, take_time(key));
    note_pane(pane);
    entry.side = static_cast<std::uint8_t>(state);
    if (value.empty())
      return make_error(ec::corrupt, "an interval join's row is empty");
  }
  entry.key = key;
  entry.value = value;
  (state == search_state ? loaded_searches_ : loaded_rows_).push_back(std::move(entry));
  return {};
}

result<void> interval_state::finish_load() {
  if (load_failure_)
    return *load_failure_;
  restored_spread_ |= !loaded_spread_.empty();
  for (auto& x : most_of_any_writer(std::move(loaded_spread_)))
    loaded_rows_.push_back(
        {UINT64_MAX, static_cast<std::uint8_t>(spread_), 0, {}, std::move(x.value)});
  loaded_spread_.clear();
  if (loaded_rows_.empty() && loaded_searches_.empty())
    return {};
  std::stable_sort(loaded_rows_.begin(), loaded_rows_.end(),
                   [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  for (const auto& entry : loaded_rows_) {
    auto& side = sides[entry.side];
    const auto value = std::string_view(entry.value).substr(1);
    const bool spread = is_spread(entry.side); // numbered anew
    const auto sequence = spread ? side.rows.rows().next_sequence() : entry.sequence;
    EBB_ASSIGN(const auto row, side.rows.append_encoded(value, sequence, side.keys));
    const auto time = side.rows.time_of(row);
    note_rows(entry.side, {&row, 1}, time, time);
    if (spread_ >= 0 && !spread)
      side.homes.at(side.rows.rows(), row) = entry.key_group;
    if (side.keeps_unmatched)
      side.settled.at(side.rows.rows(), row) = entry.value.front() != '\0' ? 1 : 0;
  }
  loaded_rows_.clear();
  for (const auto& entry : loaded_searches_)
    EBB_TRY(build_search(entry));
  loaded_searches_.clear();
  searches_saved_at_ = current_;
  return {};
}

result<void> interval_state::build_search(const loaded_entry& entry) {
  const auto& side = sides[entry.side];
  const auto& store = side.rows.rows();
  std::string_view value = entry.value;
  search_task task;
  task.side = entry.side;
  EBB_ASSIGN(task.below, take_last_sequence(value));
  for (std::uint32_t c = 0; c < store.chunk_count() && task.rows.empty(); ++c)
    for (std::uint32_t place = 0; place < store.rows_in(c); ++place) {
      const auto row = store.row_at(c, place);
      if (store.sequence_of(row) != entry.sequence)
        continue;
      std::string key;
      put_row_key(store, side.keys, row, key);
      if (key == entry.key)
        task.rows.push_back(row);
    }
  if (task.rows.empty())
    return make_error(ec::corrupt, "an interval join searches for a row that is not in its state");
  tasks.push_back(std::move(task));
  return {};
}

} // namespace ebb
