/// Rows that an operator keeps while they come and go: a store, what of it a save has to write, and
/// the entries to be erased.
///
/// A row's entry is put once and erased once: it has the row's key columns and its place in the
/// order of arrival. A removed row stays readable until `move_oldest` gets to it. While that gives
/// back memory, living rows get new numbers and new entries.
#pragma once

#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ebb {

class changing_rows {
public:
  /// `removes`: rows can go.
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
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  /// Takes a row back; what remains of `key` are the key columns.
  [[nodiscard]] result<std::uint32_t> load(std::string_view& key, std::string_view value);

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return rows_.byte_size() + (removes_ ? rows_.rows() * sizeof(change_mark) : 0);
  }

private:
  void put(std::span<const std::uint32_t> numbers, std::int32_t only_group, state_sink& sink) const;

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
  erased_keys erased_;
  change_mark asked_ = 0;
  bool saving_ = false;
  frozen_rows frozen_;
  change_mark since_ = 0;
  change_mark until_ = 0;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
};

} // namespace ebb
