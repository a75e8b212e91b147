#include "actors/dataflow/operators/saved_blocks.hpp"

#include "actors/dataflow/operators/state_keys.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <string>

namespace ebb {

namespace {

constexpr char version = 1;

} // namespace

saved_blocks::saved_blocks(std::uint16_t gone_state, std::uint16_t rows_state,
                           std::uint16_t key_groups)
    : gone_state_(gone_state), rows_state_(rows_state), blocks_(key_groups), empty_(key_groups, 0) {
  EBB_ASSERT(gone_state < rows_state);
}

void saved_blocks::remove(change_mark now, std::uint16_t key_group, std::uint64_t sequence) {
  if (removed_.empty() || removed_.back().size() == piece_rows)
    removed_.emplace_back();
  removed_.back().push_back({sequence, now, key_group});
}

void saved_blocks::forget(change_mark asked) {
  while (!removed_.empty() && removed_.front().back().at <= asked)
    removed_.pop_front();
}

void saved_blocks::begin_save(change_mark since, change_mark until, std::uint64_t first_unsaved) {
  settle_last_save(since != 0 && until_ != 0 && since >= until_);
  if (since == 0) {
    for (auto& x : blocks_)
      x.clear();
    std::fill(empty_.begin(), empty_.end(), 0U);
  }
  since_ = since;
  until_ = until;
  first_unsaved_ = first_unsaved;
  removed_end_ = removed_.empty() ? 0 : (removed_.size() - 1) * piece_rows + removed_.back().size();
  next_counted_ = since == 0 ? removed_end_ : 0;
  next_noted_ = next_counted_;
  next_emptied_ = 0;
}

// What it wrote is part of the state, or void.
void saved_blocks::settle_last_save(bool counts) {
  for (const auto& place : touched_) {
    auto& x = blocks_[place.key_group][place.at];
    if (counts) {
      x.rows -= x.going;
      empty_[place.key_group] += x.rows == 0 ? 1U : 0U;
    }
    x.going = 0;
  }
  for (const auto& place : touched_) {
    auto& blocks = blocks_[place.key_group];
    auto& empty = empty_[place.key_group];
    if (empty * 2 <= blocks.size())
      continue;
    std::erase_if(blocks, [](const saved_block& x) { return x.rows == 0; });
    empty = 0;
  }
  if (counts)
    for (const auto& x : fresh_) {
      auto& to = blocks_[x.key_group];
      EBB_ASSERT(to.empty() || to.back().first < x.first);
      to.push_back({x.first, x.rows, 0});
    }
  fresh_.clear();
  touched_.clear();
  emptied_.clear();
  noted_.clear();
}

saved_blocks::saved_block& saved_blocks::block_of(std::uint16_t key_group, std::uint64_t sequence,
                                                  block_place* place) {
  auto& blocks = blocks_[key_group];
  const auto behind =
      std::upper_bound(blocks.begin(), blocks.end(), sequence,
                       [](std::uint64_t x, const saved_block& block) { return x < block.first; });
  EBB_ASSERT(behind != blocks.begin());
  auto& found = *(behind - 1);
  if (place != nullptr)
    *place = {key_group, static_cast<std::uint32_t>(&found - blocks.data())};
  return found;
}

bool saved_blocks::erase_slice(std::uint32_t& left, state_sink& sink) {
  count_going(left);
  if (next_counted_ == removed_end_)
    erase_blocks(left, sink);
  if (next_counted_ == removed_end_ && next_emptied_ == emptied_.size())
    note_gone(left, sink);
  return next_counted_ == removed_end_ && next_emptied_ == emptied_.size()
         && next_noted_ == removed_end_;
}

void saved_blocks::count_going(std::uint32_t& left) {
  for (; next_counted_ < removed_end_ && left != 0; ++next_counted_) {
    left -= next_counted_ % 4 == 0 ? 1U : 0U;
    const auto& row = removed_at(next_counted_);
    if (!of_this_save(row))
      continue;
    block_place place;
    auto& block = block_of(row.key_group, row.sequence, &place);
    EBB_ASSERT(block.going < block.rows);
    if (block.going++ == 0)
      touched_.push_back(place);
    if (block.going == block.rows)
      emptied_.emplace_back(row.key_group, block.first);
  }
}

void saved_blocks::erase_blocks(std::uint32_t& left, state_sink& sink) {
  std::string key;
  for (; next_emptied_ < emptied_.size() && left != 0; ++next_emptied_, --left) {
    const auto& [group, first] = emptied_[next_emptied_];
    key.clear();
    put_sequence(first, key);
    sink.select_group(group);
    sink.erase(rows_state_, key);
    sink.erase_prefix(gone_state_, key);
  }
}

void saved_blocks::note_gone(std::uint32_t& left, state_sink& sink) {
  while (next_noted_ < removed_end_ && left != 0) {
    for (; next_noted_ < removed_end_ && left != 0 && noted_.size() < rows_at_once; ++next_noted_) {
      left -= next_noted_ % 4 == 0 ? 1U : 0U;
      const auto& row = removed_at(next_noted_);
      if (!of_this_save(row))
        continue;
      const auto& block = block_of(row.key_group, row.sequence);
      if (block.going < block.rows)
        noted_.push_back({row.key_group, block.first, row.sequence});
    }
    if (noted_.size() == rows_at_once || next_noted_ == removed_end_)
      put_noted(sink);
  }
}

void saved_blocks::put_noted(state_sink& sink) {
  std::sort(noted_.begin(), noted_.end());
  std::string key;
  std::string value;
  for (std::size_t i = 0; i < noted_.size();) {
    const auto& first = noted_[i];
    key.clear();
    put_sequence(first.block, key);
    put_sequence(first.sequence, key);
    value.assign(1, version);
    for (; i < noted_.size() && noted_[i].key_group == first.key_group
           && noted_[i].block == first.block;
         ++i)
      put_sequence(noted_[i].sequence, value);
    sink.select_group(first.key_group);
    sink.put(gone_state_, key, value);
  }
  noted_.clear();
}

result<void> saved_blocks::load_gone(std::uint16_t key_group, std::string_view key,
                                     std::string_view value) {
  EBB_ASSIGN(const auto block, take_sequence(key));
  EBB_TRY(take_sequence(key));
  if (!key.empty() || value.empty() || value.front() != version)
    return make_error(ec::corrupt, "a state entry's rows that are gone cannot be read");
  value.remove_prefix(1);
  auto& rows = loading_[key_group].rows;
  while (!value.empty()) {
    EBB_ASSIGN(const auto sequence, take_sequence(value));
    rows.push_back({key_group, block, sequence});
  }
  return {};
}

std::vector<std::uint64_t> saved_blocks::gone_of(std::uint16_t key_group, std::uint64_t first) {
  std::vector<std::uint64_t> result;
  const auto found = loading_.find(key_group);
  if (found == loading_.end())
    return result;
  auto& [rows, next] = found->second;
  while (next < rows.size() && rows[next].block < first)
    ++next;
  for (; next < rows.size() && rows[next].block == first; ++next)
    result.push_back(rows[next].sequence);
  if (next == rows.size())
    loading_.erase(found);
  std::sort(result.begin(), result.end());
  return result;
}

result<void> saved_blocks::loaded(std::uint16_t key_group, std::uint64_t first,
                                  std::uint32_t rows) {
  auto& to = blocks_[key_group];
  if (rows == 0 || (!to.empty() && to.back().first >= first))
    return make_error(ec::corrupt, "a state entry's rows are not in their place");
  to.push_back({first, rows, 0});
  return {};
}

std::size_t saved_blocks::byte_size() const noexcept {
  std::size_t bytes = 0;
  for (const auto& x : blocks_)
    bytes += x.capacity() * sizeof(saved_block);
  return bytes;
}

} // namespace ebb
