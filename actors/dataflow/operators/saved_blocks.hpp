/// Which blocks of rows (block_writer.hpp) the saved state has, and which of their rows are gone.
///
/// A row that goes is noted beside its block: key = first sequence of the block and the least one
/// that is noted, value = a version byte and the sequences. A block whose last row goes is erased
/// with its notes. What the last save wrote counts once a later save builds upon it.
#pragma once

#include "actors/dataflow/operator.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

class saved_blocks {
public:
  /// Entries of `gone_state` are loaded before those of `rows_state`: its number is smaller.
  saved_blocks(std::uint16_t gone_state, std::uint16_t rows_state, std::uint16_t key_groups);

  /// A row that a save may hold went after mark `now - 1`.
  void remove(change_mark now, std::uint16_t key_group, std::uint64_t sequence);

  /// Lets go of most that went until `asked`: saves will ask for later marks only.
  void forget(change_mark asked);

  /// Begins a save of what changed after `since` until `until`; rows from `first_unsaved` on came
  /// after `since`. With since = 0 nothing is saved yet.
  void begin_save(change_mark since, change_mark until, std::uint64_t first_unsaved);

  /// Writes the rows that went; true = all.
  [[nodiscard]] bool erase_slice(std::uint32_t& left, state_sink& sink);

  /// The save has put a block of so many rows.
  void put(std::uint16_t key_group, std::uint64_t first, std::uint32_t rows) {
    fresh_.push_back({first, rows, key_group});
  }

  /// What an operator has of a key group is loaded in order; several groups may be at once.
  [[nodiscard]] result<void> load_gone(std::uint16_t key_group, std::string_view key,
                                       std::string_view value);

  /// Rows of a block that is loaded: which are gone, by rising sequence.
  [[nodiscard]] std::vector<std::uint64_t> gone_of(std::uint16_t key_group, std::uint64_t first);

  /// A block was loaded, of which so many rows are not gone.
  [[nodiscard]] result<void> loaded(std::uint16_t key_group, std::uint64_t first,
                                    std::uint32_t rows);

  /// Without the rows that went since the last save.
  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  static constexpr std::size_t piece_rows = 4096;
  static constexpr std::size_t rows_at_once = 2048; ///< are noted together

  struct saved_block {
    std::uint64_t first = 0;
    std::uint32_t rows = 0;  ///< not gone
    std::uint32_t going = 0; ///< of them, with the save under way
  };

  struct fresh_block {
    std::uint64_t first = 0;
    std::uint32_t rows = 0;
    std::uint16_t key_group = 0;
  };

  struct removed_row {
    std::uint64_t sequence = 0;
    change_mark at = 0;
    std::uint16_t key_group = 0;
  };

  struct gone_row {
    std::uint16_t key_group = 0;
    std::uint64_t block = 0; ///< its first sequence
    std::uint64_t sequence = 0;

    auto operator<=>(const gone_row&) const = default;
  };

  struct block_place {
    std::uint16_t key_group = 0;
    std::uint32_t at = 0;
  };

  [[nodiscard]] saved_block& block_of(std::uint16_t key_group, std::uint64_t sequence,
                                      block_place* place = nullptr);

  [[nodiscard]] const removed_row& removed_at(std::size_t i) const noexcept {
    return removed_[i / piece_rows][i % piece_rows];
  }

  [[nodiscard]] bool of_this_save(const removed_row& x) const noexcept {
    return x.at > since_ && x.at <= until_ && x.sequence < first_unsaved_;
  }

  void count_going(std::uint32_t& left);
  void erase_blocks(std::uint32_t& left, state_sink& sink);
  void note_gone(std::uint32_t& left, state_sink& sink);
  void put_noted(state_sink& sink);
  void settle_last_save(bool counts);

  std::uint16_t gone_state_;
  std::uint16_t rows_state_;
  std::vector<std::vector<saved_block>> blocks_; ///< by key group, by first sequence
  std::vector<std::uint32_t> empty_;             ///< by key group: blocks without rows
  std::deque<std::vector<removed_row>> removed_; ///< all but the last hold `piece_rows`

  // The save under way, or the last one.
  change_mark since_ = 0;
  change_mark until_ = 0;
  std::uint64_t first_unsaved_ = 0;
  std::vector<fresh_block> fresh_;
  std::vector<block_place> touched_;
  std::vector<std::pair<std::uint16_t, std::uint64_t>> emptied_;
  std::size_t next_counted_ = 0;
  std::size_t next_emptied_ = 0;
  std::size_t next_noted_ = 0;
  std::size_t removed_end_ = 0;
  std::vector<gone_row> noted_;

  /// Rows that are gone of blocks to be loaded, by block.
  struct loading_group {
    std::vector<gone_row> rows;
    std::size_t next = 0;
  };

  std::map<std::uint16_t, loading_group> loading_;
};

} // namespace ebb
