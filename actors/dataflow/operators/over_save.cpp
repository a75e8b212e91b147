/// Saving of OVER while it goes on. Rows are only appended, and those that nothing needs any more
/// stay where they are until the save is over. A partition's counters and accumulators are written
/// when its turn comes or, earlier, just before they change.
#include "actors/dataflow/operators/over_state.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

void over_state::begin_save(change_mark since, micros watermark) {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  asked_ = std::max(asked_, since);
  save_.emplace();
  auto& x = *save_;
  x.since = since;
  x.until = current_ - 1;
  x.watermark = watermark;
  x.erased_end = erased_.end();
  x.next_erased = since == 0 ? x.erased_end : erased_.first_after(since);
  x.row_list.start(rows, marks_.first_after(since));
  x.listed = since != 0 && since + 1 == x.until;
  x.partitions_end = x.listed ? frozen_.size() : partitions.size();
}

bool over_state::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto& x = *save_;
  auto left = std::max(1U, entries);
  for (; x.next_group < own_.count && left != 0; ++x.next_group, --left) {
    sink.select_group(static_cast<std::uint16_t>(own_.first + x.next_group));
    acted_watermark::save(x.watermark, watermark_state, sink);
  }
  erased_.save(x.next_erased, x.erased_end, x.since, 0, left, sink);
  left -= x.early.drain(left, sink);
  if (left != 0 && !x.rows_done) {
    std::vector<std::uint32_t> numbers;
    x.rows_done = !x.row_list.take(rows, left, numbers);
    left -= static_cast<std::uint32_t>(numbers.size());
    std::erase_if(numbers, [&](std::uint32_t row) { return gone_.until(rows, row, x.until); });
    put_rows(numbers, sink);
  }
  if (left == 0 || !x.rows_done || !save_partitions(left, sink) || !x.early.empty())
    return true;
  save_.reset();
  return false;
}

// True = all that have not been preserved.
bool over_state::save_partitions(std::uint32_t& left, state_sink& sink) {
  constexpr std::uint32_t looks = 8; // at partitions that have not changed, for an entry
  auto& x = *save_;
  std::vector<std::uint32_t> slots;
  for (auto look = std::uint64_t{left} * looks;
       x.next_partition < x.partitions_end && look != 0 && slots.size() < left; --look) {
    const auto slot =
        x.listed ? frozen_[x.next_partition] : static_cast<std::uint32_t>(x.next_partition);
    ++x.next_partition;
    const auto& partition = partitions[slot];
    if (partition.rows != 0 && partition.changed_at > x.since && partition.changed_at <= x.until)
      slots.push_back(slot);
  }
  put_partitions(slots, sink);
  left -= static_cast<std::uint32_t>(slots.size());
  return x.next_partition == x.partitions_end;
}

void over_state::preserve(const over_block& block) {
  if (!save_)
    return;
  const auto& x = *save_;
  std::vector<std::uint32_t> slots;
  for (const auto& run : block.runs) {
    const auto& partition = partitions[run.slot];
    // Of a list it is not known how far it has come, so an entry may be written twice.
    const bool waits =
        x.next_partition < x.partitions_end
        && (x.listed || (run.slot >= x.next_partition && run.slot < x.partitions_end));
    if (waits && partition.rows != 0 && partition.changed_at > x.since
        && partition.changed_at <= x.until)
      slots.push_back(run.slot);
  }
  put_partitions(slots, save_->early);
}

void over_state::put_rows(std::span<const std::uint32_t> numbers, state_sink& sink) const {
  std::vector<std::uint64_t> hashes(numbers.size());
  hash_stored(rows, partition_by_, numbers, hashes.data());
  std::string value;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    value.clear();
    rows.encode(numbers[i], value);
    sink.select_group(key_group_of(hashes[i], key_groups_));
    sink.put(0, key_of(numbers[i]), value);
  }
}

// Gives put(slot, value) the counters and accumulators of partitions.
template <class Put>
void over_state::for_each_value(std::span<const std::uint32_t> slots, const Put& put) const {
  if (slots.empty())
    return;
  const auto columns = calls.states(slots);
  std::string value;
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    const auto& x = partitions[slots[i]];
    value.assign(1, first_is_apart(x) ? '\1' : '\0');
    put_sequence(static_cast<std::uint64_t>(x.rows), value);
    put_sequence(static_cast<std::uint64_t>(x.peer_groups), value);
    put_sequence(x.history.size(), value);
    for (const auto& column : columns)
      append_value(column, i, value);
    put(slots[i], value);
  }
}

void over_state::put_partitions(std::span<const std::uint32_t> slots, state_sink& sink) const {
  std::string key;
  for_each_value(slots, [&](std::uint32_t slot, const std::string& value) {
    key.clear();
    index.encode(slot, key);
    sink.select_group(key_group_of(index.hash_of(slot), key_groups_));
    sink.put(1, key, value);
  });
}

// Lists the live rows that came after a mark, by key group.
void over_state::sort_rows(change_mark since) const {
  if (saved_fresh_ && saved_since_ == since)
    return;
  saved_fresh_ = true;
  saved_since_ = since;
  saved_.clear();
  const auto first = marks_.first_after(since);
  const auto add = [&](std::uint32_t row) {
    if (rows.sequence_of(row) >= first)
      saved_.push_back(row);
  };
  waiting.for_each([&](const waiting_row& x) { add(x.row); });
  for (const auto& x : ready)
    add(x.row);
  for (const auto& x : partitions) {
    for (const auto row : x.history)
      add(row);
    if (first_is_apart(x))
      add(x.first);
  }
  std::vector<std::uint64_t> hashes(saved_.size());
  hash_stored(rows, partition_by_, saved_, hashes.data());
  buckets_.build(key_groups_, static_cast<std::uint32_t>(saved_.size()),
                 [&](std::uint32_t i) { return key_group_of(hashes[i], key_groups_); });
}

void over_state::save(std::uint16_t key_group, change_mark since, micros watermark,
                      state_sink& sink) const {
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  if (key_group == unkeyed_group)
    return;
  asked_ = std::max(asked_, since);
  sort_rows(since);
  if (since != 0)
    erased_.save_group(key_group, since, 0, sink);
  entry_list entries;
  for (const auto i : buckets_.of(key_group)) {
    std::string value;
    rows.encode(saved_[i], value);
    entries.add(key_of(saved_[i]), std::move(value));
  }
  entries.put_sorted(0, sink);
  // Counters and accumulators of the partitions that moved on.
  entry_list counts;
  std::vector<std::uint32_t> slots;
  index.slots_of_group(key_group, slots);
  std::erase_if(slots, [&](std::uint32_t slot) {
    return partitions[slot].rows == 0 || partitions[slot].changed_at <= since;
  });
  for_each_value(slots, [&](std::uint32_t slot, const std::string& value) {
    std::string key;
    index.encode(slot, key);
    counts.add(std::move(key), value);
  });
  counts.put_sorted(1, sink);
  acted_watermark::save(watermark, watermark_state, sink);
}

} // namespace ebb
