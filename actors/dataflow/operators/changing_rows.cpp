#include "actors/dataflow/operators/changing_rows.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

changing_rows::changing_rows(std::vector<sql_type> types, std::vector<std::uint32_t> keys,
                             bool removes, std::uint16_t state, std::uint16_t key_groups)
    : rows_(std::move(types), 2048), keys_(std::move(keys)), removes_(removes), state_(state),
      key_groups_(key_groups) {}

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
  std::string key;
  for (std::size_t i = 0; i < saved.size(); ++i) {
    key.clear();
    put_row_key(rows_, keys_, saved[i], key);
    put_sequence(rows_.sequence_of(saved[i]), key);
    erased_.add(now_, key_group_of(hashes[i], key_groups_), key);
  }
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
  erased_.forget(asked_);
  ++now_;
}

void changing_rows::begin_save(change_mark since) {
  saving_ = true;
  since_ = since;
  until_ = now_ - 1;
  asked_ = std::max(asked_, since);
  erased_end_ = erased_.end();
  next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
  frozen_.start(rows_, marks_.first_after(since));
}

bool changing_rows::erase_slice(std::uint32_t& left, state_sink& sink) {
  if (!saving_)
    return true;
  erased_.save(next_erased_, erased_end_, since_, state_, left, sink);
  return next_erased_ == erased_end_;
}

bool changing_rows::save_slice(std::uint32_t& left, state_sink& sink) {
  if (!saving_)
    return true;
  if (left == 0)
    return false;
  std::vector<std::uint32_t> numbers;
  const bool more = frozen_.take(rows_, left, numbers);
  left -= std::min(left, std::max(1U, static_cast<std::uint32_t>(numbers.size())));
  if (removes_)
    std::erase_if(numbers, [this](std::uint32_t row) {
      return gone_.has(rows_, row) && gone_.at(rows_, row) != 0 && gone_.at(rows_, row) <= until_;
    });
  put(numbers, -1, sink);
  saving_ = more;
  return !more;
}

void changing_rows::save(std::uint16_t key_group, change_mark since, state_sink& sink) const {
  if (since != 0)
    erased_.save_group(key_group, since, state_, sink);
  const auto first = marks_.first_after(since);
  for (std::uint32_t chunk = 0; chunk < rows_.chunk_count(); ++chunk) {
    std::vector<std::uint32_t> numbers;
    for (std::uint32_t place = 0; place < rows_.rows_in(chunk); ++place) {
      const auto row = rows_.row_at(chunk, place);
      if (rows_.sequence_of(row) >= first && (!removes_ || gone_.at(rows_, row) == 0))
        numbers.push_back(row);
    }
    put(numbers, key_group, sink);
  }
}

// Key: key columns, sequence. Value: the row.
void changing_rows::put(std::span<const std::uint32_t> numbers, std::int32_t only_group,
                        state_sink& sink) const {
  std::vector<std::uint64_t> hashes(numbers.size());
  hash_stored(rows_, keys_, numbers, hashes.data());
  std::string key;
  std::string value;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto group = key_group_of(hashes[i], key_groups_);
    if (only_group >= 0 && group != only_group)
      continue;
    key.clear();
    put_row_key(rows_, keys_, numbers[i], key);
    put_sequence(rows_.sequence_of(numbers[i]), key);
    value.clear();
    rows_.encode(numbers[i], value);
    sink.select_group(group);
    sink.put(state_, key, value);
  }
}

result<std::uint32_t> changing_rows::load(std::string_view& key, std::string_view value) {
  EBB_ASSIGN(const auto sequence, take_last_sequence(key));
  EBB_ASSIGN(const auto row, rows_.append_encoded(value, sequence));
  if (!value.empty())
    return make_error(ec::corrupt, "a kept row is longer than its columns");
  ++living_;
  if (removes_)
    gone_.grow(rows_, 0);
  return row;
}

} // namespace ebb
