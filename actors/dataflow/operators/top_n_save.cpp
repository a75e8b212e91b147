/// Saving of a windowed top-N while it goes on. Rows are only appended to a window, and those that
/// are outranked stay where they are until the save is over; a window that is being emitted does
/// not change. Windows that go meanwhile are kept until they are written.
#include "actors/dataflow/operators/top_n_state.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

void top_n_state::begin_save(change_mark since, micros watermark) {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  save_.emplace();
  auto& x = *save_;
  x.since = since;
  x.until = current_ - 1;
  x.watermark = watermark;
  x.drops.start(dropped_, since);
  x.erased_end = erased_.end();
  x.next_erased = since == 0 ? x.erased_end : erased_.first_after(since);
  if (cursor_) {
    x.fired_slot = cursor_->partition();
    x.fired_emitted = cursor_->emitted();
    if (since != 0)
      x.fired_prefix = prefix_of(windows_.begin()->first);
  }
  for (const auto& entry : windows_) {
    const auto& window = entry.second;
    frozen_part part;
    part.firing = firing(entry);
    if (part.firing)
      part.next_slot = x.fired_slot;
    if (part.firing || (window.resumed && since <= window.base))
      part.slots = static_cast<std::uint32_t>(window.partitions.size());
    if (!part.firing)
      part.rows.start(window.rows, window.first_after(since));
    x.windows.add(entry, part);
  }
}

bool top_n_state::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto left = std::max(1U, entries);
  if (!erase_gone(left, sink))
    return true;
  const bool all = save_->windows.put_all(
      [&](auto& window, auto& part) { return put_window(window, part, left, sink); });
  if (!all)
    return true;
  save_.reset();
  return false;
}

// Before anything is put. True = all.
bool top_n_state::erase_gone(std::uint32_t& left, state_sink& sink) {
  auto& x = *save_;
  const owned_groups own(context_);
  const auto begin = [&](std::uint32_t i) {
    sink.select_group(static_cast<std::uint16_t>(own.first + i));
    return std::string();
  };
  const auto end = [&](std::uint32_t) {
    for (std::uint16_t state = 0; state < 2 && !x.fired_prefix.empty(); ++state)
      sink.erase_prefix(state, x.fired_prefix);
    acted_watermark::save(x.watermark, watermark_state, sink);
  };
  if (!x.drops.save(dropped_, own.count, left, sink, begin, end))
    return false;
  erased_.save(x.next_erased, x.erased_end, x.since, 0, left, sink);
  return x.next_erased == x.erased_end;
}

// True = all of the window.
bool top_n_state::put_window(const window_map::value_type& entry, frozen_part& part,
                             std::uint32_t& left, state_sink& sink) const {
  const auto& x = *save_;
  const auto& window = entry.second;
  std::vector<std::uint32_t> numbers;
  for (; part.next_slot < part.slots && left != 0; ++part.next_slot, part.next_place = 0) {
    const auto& partition = window.partitions[part.next_slot];
    if (part.next_place == 0) {
      const bool current = part.firing && part.next_slot == x.fired_slot;
      const auto emitted = current ? x.fired_emitted : partition.emitted;
      if (emitted != 0)
        put_progress(entry, part.next_slot, emitted, sink);
    }
    const auto& rows = partition.rows.rows();
    const auto count = part.firing ? rows.size() : 0;
    left -= count == 0 ? 1U : 0U;
    for (; part.next_place < count && left != 0; ++part.next_place, --left)
      numbers.push_back(rows[part.next_place].row);
    if (part.next_place < count)
      break;
  }
  put_rows(entry, numbers, sink);
  if (part.next_slot < part.slots || (left == 0 && !part.firing))
    return false;
  if (part.firing)
    return true;
  numbers.clear();
  const bool more = part.rows.take(window.rows, left, numbers);
  left -= static_cast<std::uint32_t>(numbers.size());
  std::erase_if(numbers, [&](std::uint32_t row) {
    return window.outranked.until(window.rows, row, x.until);
  });
  put_rows(entry, numbers, sink);
  return !more;
}

void top_n_state::put_rows(const window_map::value_type& entry,
                           std::span<const std::uint32_t> numbers, state_sink& sink) const {
  const auto& rows = entry.second.rows;
  const auto groups = groups_of(rows, numbers);
  std::string value;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    value.clear();
    rows.encode(numbers[i], value);
    sink.select_group(groups[i]);
    sink.put(0, key_of(entry.first, rows, numbers[i]), value);
  }
}

// How many rows of a partition had been emitted.
void top_n_state::put_progress(const window_map::value_type& entry, std::uint32_t slot,
                               std::uint64_t emitted, state_sink& sink) const {
  const auto& [name, window] = entry;
  const auto row = window.partitions[slot].rows.rows().front().row;
  auto key = prefix_of(name);
  put_row_key(window.rows, spec_.partition, row, key);
  std::string value;
  put_sequence(emitted, value);
  sink.select_group(groups_of(window.rows, {&row, 1}).front());
  sink.put(1, key, value);
}

// Lists the candidates that changed since a mark, by key group.
void top_n_state::sort_rows(change_mark since) const {
  if (saved_fresh_ && saved_since_ == since)
    return;
  saved_fresh_ = true;
  saved_since_ = since;
  saved_.clear();
  std::vector<std::uint16_t> groups;
  for (const auto& entry : windows_) {
    const auto& [name, window] = entry;
    const auto first = firing(entry) ? 0 : window.first_after(since);
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t slot = 0; slot < window.partitions.size(); ++slot) {
      if (firing(entry) && slot < cursor_->partition())
        continue;
      for (const auto& x : window.partitions[slot].rows.rows())
        if (window.rows.sequence_of(x.row) >= first)
          numbers.push_back(x.row);
    }
    for (const auto number : numbers)
      saved_.push_back({&entry, number});
    const auto of = groups_of(window.rows, numbers);
    groups.insert(groups.end(), of.begin(), of.end());
  }
  buckets_.build(context_.key_groups, static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return groups[i]; });
}

void top_n_state::save(std::uint16_t key_group, change_mark since, micros watermark,
                       state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  if (key_group == unkeyed_group)
    return;
  sort_rows(since);
  dropped_.save(since, 2, sink);
  if (since != 0 && cursor_)
    for (std::uint16_t state = 0; state < 2; ++state)
      sink.erase_prefix(state, prefix_of(windows_.begin()->first));
  if (since != 0)
    erased_.save_group(key_group, since, 0, sink);
  entry_list rows;
  for (const auto i : buckets_.of(key_group)) {
    const auto& x = saved_[i];
    std::string value;
    x.window->second.rows.encode(x.row, value);
    rows.add(key_of(x.window->first, x.window->second.rows, x.row), std::move(value));
  }
  rows.put_sorted(0, sink);
  save_progress(key_group, since, sink);
  acted_watermark::save(watermark, watermark_state, sink);
}

// How far the partition had come that was being emitted.
void top_n_state::save_progress(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  entry_list progress;
  for (const auto& entry : windows_) {
    const auto& [name, window] = entry;
    if (!firing(entry) && since > window.base)
      continue; // as it was loaded
    for (std::uint32_t slot = 0; slot < window.partitions.size(); ++slot) {
      const auto& x = window.partitions[slot];
      const bool current = firing(entry) && slot == cursor_->partition();
      const auto emitted = current ? cursor_->emitted() : x.emitted;
      if (emitted == 0 || (firing(entry) && slot < cursor_->partition()))
        continue;
      const auto row = x.rows.rows().front().row;
      if (groups_of(window.rows, {&row, 1}).front() != key_group)
        continue;
      auto key = prefix_of(name);
      put_row_key(window.rows, spec_.partition, row, key);
      std::string value;
      put_sequence(emitted, value);
      progress.add(std::move(key), std::move(value));
    }
  }
  progress.put_sorted(1, sink);
}

} // namespace ebb
