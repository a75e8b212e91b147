#include "actors/dataflow/operators/changing_rows.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

changing_rows::changing_rows(std::vector<sql_type> types, std::vector<std::uint32_t> keys,
                             bool removes, std::uint16_t state, std::uint16_t key_groups)
    : rows_(std::move(types), 2048), keys_(std::move(keys)), removes_(removes), state_(state),
      key_groups_(key_groups), blocks_(static_cast<std::uint16_t>(gone_states + state),
                                       static_cast<std::uint16_t>(row_states + state), key_groups),
      writer_(keys_, static_cast<std::uint16_t>(row_states + state), key_groups) {
  EBB_ASSERT(state < row_states - gone_states);
}

result<void> changing_rows::append(const batch& from, const std::uint32_t* picks,
                                   std::uint32_t count, std::uint32_t* numbers) {
  EBB_TRY(rows_.append(from, picks, count, numbers));
  living_ += count;
  if (removes_)
    gone_.grow(rows_, 0);
  return {};
}

void changing_rows::remove(std::span<const std::uint32_t> gone) {
  EBB_ASSERT(removes_);
  living_ -= gone.size();
  credit_ += 2 * gone.size();
  // What no save has seen need not be erased.
  const auto unsaved_from = now_ == 1 ? 0 : marks_.first_after(now_ - 1);
  std::vector<std::uint32_t> saved;
  for (const auto row : gone) {
    EBB_ASSERT(gone_.at(rows_, row) == 0);
    gone_.at(rows_, row) = now_;
    if (rows_.sequence_of(row) < unsaved_from)
      saved.push_back(row);
  }
  std::vector<std::uint64_t> hashes(saved.size());
  hash_stored(rows_, keys_, saved, hashes.data());
  for (std::size_t i = 0; i < saved.size(); ++i)
    blocks_.remove(now_, key_group_of(hashes[i], key_groups_), rows_.sequence_of(saved[i]));
}

result<void> changing_rows::move_oldest(std::vector<std::uint32_t>& from,
                                        std::vector<std::uint32_t>& to) {
  from.clear();
  const auto count = rows_.rows_in(0);
  credit_ -= std::min<std::uint64_t>(credit_, count);
  for (std::uint32_t place = 0; place < count; ++place)
    if (const auto row = rows_.row_at(0, place); gone_.at(rows_, row) == 0)
      from.push_back(row);
  to.resize(from.size());
  const auto moved = static_cast<std::uint32_t>(from.size());
  if (moved == 0)
    return {};
  batch rows;
  rows.rows = moved;
  rows_.gather_all(from.data(), moved, rows.columns);
  EBB_TRY(append(rows, nullptr, moved, to.data()));
  const auto credit = credit_;
  remove(from);
  credit_ = credit;
  return {};
}

void changing_rows::drop_moved() {
  rows_.drop_oldest();
  gone_.drop_oldest();
}

void changing_rows::mark() {
  saving_ = false; // given up
  marks_.mark(rows_.next_sequence());
  blocks_.forget(asked_);
  ++now_;
}

void changing_rows::begin_save(change_mark since) {
  saving_ = true;
  until_ = now_ - 1;
  asked_ = std::max(asked_, since);
  const auto first = marks_.first_after(since);
  blocks_.begin_save(since, until_, first);
  writer_.start(rows_, first);
}

bool changing_rows::erase_slice(std::uint32_t& left, state_sink& sink) {
  return !saving_ || blocks_.erase_slice(left, sink);
}

bool changing_rows::save_slice(std::uint32_t& left, state_sink& sink) {
  if (!saving_)
    return true;
  const auto gone = [this](std::uint32_t row) {
    return removes_ && gone_.has(rows_, row) && gone_.at(rows_, row) != 0
           && gone_.at(rows_, row) <= until_;
  };
  const auto put = [this](std::uint16_t key_group, std::uint64_t first, std::uint32_t rows) {
    blocks_.put(key_group, first, rows);
  };
  saving_ = !writer_.save_slice(rows_, gone, left, sink, put);
  return !saving_;
}

void changing_rows::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  EBB_ASSERT(since == 0);
  std::vector<std::uint32_t> numbers;
  std::vector<std::uint32_t> of_chunk;
  for (std::uint32_t chunk = 0; chunk < rows_.chunk_count(); ++chunk) {
    of_chunk.clear();
    for (std::uint32_t place = 0; place < rows_.rows_in(chunk); ++place)
      if (const auto row = rows_.row_at(chunk, place); !removes_ || gone_.at(rows_, row) == 0)
        of_chunk.push_back(row);
    std::vector<std::uint64_t> hashes(of_chunk.size());
    hash_stored(rows_, keys_, of_chunk, hashes.data());
    for (std::size_t i = 0; i < of_chunk.size(); ++i)
      if (key_group_of(hashes[i], key_groups_) == key_group)
        numbers.push_back(of_chunk[i]);
  }
  writer_.put_rows(rows_, numbers, sink, {});
}

result<void> changing_rows::load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                                 std::string_view value, std::vector<std::uint32_t>& numbers) {
  if (state == gone_states + state_)
    return blocks_.load_gone(key_group, key, value);
  EBB_ASSIGN(const auto first, take_sequence(key));
  const auto gone = blocks_.gone_of(key_group, first);
  const auto before = numbers.size();
  EBB_TRY(read_block(value, [&](row_pack pack) -> result<void> {
    std::vector<std::uint32_t> kept;
    for (std::uint32_t i = 0; i < pack.rows.rows; ++i)
      if (!std::binary_search(gone.begin(), gone.end(), pack.sequences[i]))
        kept.push_back(i);
    const auto at = numbers.size();
    numbers.resize(at + kept.size());
    return rows_.append_saved(std::move(pack), kept, numbers.data() + at);
  }));
  const auto count = static_cast<std::uint32_t>(numbers.size() - before);
  living_ += count;
  if (removes_)
    gone_.grow(rows_, 0);
  return blocks_.loaded(key_group, first, count);
}

} // namespace ebb
