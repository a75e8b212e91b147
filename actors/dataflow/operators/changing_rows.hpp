/// Rows that an operator keeps while they come and go: a store, what of it a save has to write, and
/// the entries to be erased.
///
/// Rows are written once, many to an entry (block_writer.hpp); those that go are noted beside them
/// (saved_blocks.hpp). A removed row stays readable until `move_oldest` gets to it. While that
/// gives back memory, living rows get new numbers and are written anew, so blocks go as well.
#pragma once

#include "actors/dataflow/operators/block_writer.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/saved_blocks.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ebb {

class changing_rows {
public:
  /// `removes`: rows can go. Entries have the states `gone_states + state` and `row_states + state`
  /// (row_pack.hpp); `state` is less than 4.
  changing_rows(std::vector<sql_type> types, std::vector<std::uint32_t> keys, bool removes,
                std::uint16_t state, std::uint16_t key_groups);

  [[nodiscard]] const row_store& rows() const noexcept {
    return rows_;
  }

  [[nodiscard]] const std::vector<std::uint32_t>& keys() const noexcept {
    return keys_;
  }

  [[nodiscard]] std::uint64_t living() const noexcept {
    return living_;
  }

  /// As row_store's.
  [[nodiscard]] result<void> append(const batch& from, const std::uint32_t* picks,
                                    std::uint32_t count, std::uint32_t* numbers);

  /// Removes living rows, each named once.
  void remove(std::span<const std::uint32_t> gone);

  /// Most rows are gone, and no save is under way: `move_oldest` should be called.
  [[nodiscard]] bool wants_move() const noexcept {
    return !saving_ && rows_.chunk_count() > 1 && credit_ >= rows_.rows_in(0)
           && rows_.rows() > 2 * living_ + row_store::chunk_rows;
  }

  /// Gives the living rows of the oldest chunk new numbers: `from[i]` becomes `to[i]`. Both numbers
  /// are good until `drop_moved`.
  [[nodiscard]] result<void> move_oldest(std::vector<std::uint32_t>& from,
                                         std::vector<std::uint32_t>& to);

  /// The users of row_array follow.
  void drop_moved();

  // Saving, as of stream_operator.
  void mark();
  void begin_save(change_mark since);
  [[nodiscard]] bool erase_slice(std::uint32_t& left, state_sink& sink); ///< true = all
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink);  ///< true = all
  /// All rows of a key group: `since` is 0, other saves are in pieces.
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;

  /// Whether entries of this state are its.
  [[nodiscard]] bool owns(std::uint16_t state) const noexcept {
    return state == row_states + state_ || state == gone_states + state_;
  }

  /// Rows to be appended get no sequence before this: that of no row to be loaded.
  void skip_sequences(std::uint64_t next) noexcept {
    rows_.skip_sequences(next);
  }

  /// After a late load without `skip_sequences`, before any row came: what is there was saved.
  void all_were_saved() noexcept {
    marks_.loaded(now_ - 1, rows_.next_sequence());
  }

  /// Takes an entry back: appends the numbers of its rows.
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value,
                                  std::vector<std::uint32_t>& numbers);

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return rows_.byte_size() + (removes_ ? rows_.rows() * sizeof(change_mark) : 0)
           + blocks_.byte_size();
  }

private:
  row_store rows_;
  std::vector<std::uint32_t> keys_;
  bool removes_;
  std::uint16_t state_;
  std::uint16_t key_groups_;
  row_array<change_mark> gone_; ///< at which change number; 0 = living
  std::uint64_t living_ = 0;
  std::uint64_t credit_ = 0; ///< rows that may be moved for those that were removed

  change_mark now_ = 1;
  sequence_marks marks_;
  saved_blocks blocks_;
  block_writer writer_;
  change_mark asked_ = 0;
  bool saving_ = false;
  change_mark until_ = 0;
};

} // namespace ebb
