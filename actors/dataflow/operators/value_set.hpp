/// The values that the rows of each group have: for calls with DISTINCT over the same arguments,
/// and beneath ordered_values.
///
/// A value is counted once for each *variant*, a FILTER that some of the calls have. Where rows are
/// never taken back a variant's count is a bit. Values that no row has any more are forgotten.
///
/// Where counts are bits, what has changed is saved as blocks of many values, and a value has the
/// bits that any block says. Else each value is an entry of its own.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ebb {

class value_set {
public:
  static constexpr std::size_t variants_max = 32;

  /// `groups` outlives the set: the index of the groups that own the values. Entries are saved
  /// under the group's key, `number` and the value, as `state`.
  value_set(const key_index& groups, std::vector<sql_type> types, std::size_t variants,
            bool updating, std::uint16_t state, std::uint8_t number, std::uint16_t key_groups);

  /// State of the blocks; their keys are `number` and a hash of the block.
  static constexpr std::uint16_t block_state = 7;
  ~value_set();
  value_set(const value_set&) = delete;
  value_set& operator=(const value_set&) = delete;

  /// What rows changed, by variant: for the rows in `included` the value became one of the group's
  /// (weight 1) or ceased to be (-1).
  struct changes {
    std::vector<buffer_ptr> included;
    std::vector<std::vector<std::int32_t>> weights; ///< empty where rows are never taken back
  };

  /// Adds row i of `args` to the group `slots[i]`, for the variants whose bit i is set in
  /// `included[variant]` (null = all rows). Error: a row is taken back that is not there.
  [[nodiscard]] result<void> add(std::span<const std::uint32_t> slots, std::span<const column> args,
                                 std::span<const std::uint8_t* const> included,
                                 const std::int32_t* weights, changes& out);

  // Of the last `add`, where rows may be taken back.

  /// Entries that it made, or that were loaded, until `forget`.
  [[nodiscard]] std::span<const std::uint32_t> appeared() const noexcept {
    return appeared_;
  }

  /// Entries that no row has any more; they go with `forget`.
  [[nodiscard]] std::span<const std::uint32_t> vanished() const noexcept {
    return vanished_;
  }

  void forget();

  /// Where rows may be taken back: what is taken back and not there is ignored from now on.
  void forgive() noexcept {
    forgives_ = true;
  }

  /// Makes all values of groups go that have a mark, as `vanished`.
  void drop_owners(std::span<const std::uint8_t> marked);

  [[nodiscard]] std::uint32_t owner_of(std::uint32_t entry) const noexcept {
    return owners_[entry];
  }

  [[nodiscard]] std::int64_t count_of(std::uint32_t entry) const noexcept {
    return counts_[entry];
  }

  [[nodiscard]] const key_index& index() const noexcept {
    return index_;
  }

  change_mark mark();
  /// As of stream_operator; `early` takes what is written before its turn.
  void begin_save(change_mark since, saved_entries& early);
  void end_save();
  /// Erases, then puts; counts `left` down. True = all is written.
  [[nodiscard]] bool erase_slice(std::uint32_t& left, state_sink& sink);
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink);
  void save_group(std::span<const std::uint32_t> owners_of_group, std::uint16_t key_group,
                  change_mark since, state_sink& sink) const;

  /// Takes entries back, many at a time: `bytes` is what stands behind the set's number in the key,
  /// `value` the entry's value. None is there for sure before `finish_load`.
  [[nodiscard]] result<void> load(std::uint32_t owner, std::string_view bytes,
                                  std::string_view value);
  [[nodiscard]] result<void> finish_load();
  /// The same of a block: `key` is what stands behind the set's number. `owner_of` gives the group
  /// of a key's canonical bytes.
  using find_owner = std::function<result<std::uint32_t>(std::string_view)>;
  [[nodiscard]] result<void> load_block(std::string_view key, std::string_view value,
                                        const find_owner& owner_of);

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  struct loading;

  static constexpr char saved_version = 1; ///< first byte of an entry's value

  void add_bits(std::span<const std::uint32_t> slots, const std::vector<const column*>& keys,
                std::span<const std::uint8_t* const> included, changes& out);
  [[nodiscard]] result<void> add_counts(std::span<const std::uint32_t> slots,
                                        const std::vector<const column*>& keys,
                                        std::span<const std::uint8_t* const> included,
                                        const std::int32_t* weights, changes& out);
  void make_masks(std::uint32_t rows, std::span<const std::uint8_t* const> included);
  void make_room();
  void preserve();
  void put(std::span<const std::uint32_t> entries, state_sink& sink) const;

  /// An entry and the bits that it had.
  struct marked_value {
    std::uint32_t entry = 0;
    std::uint32_t bits = 0;
    std::uint32_t owner = 0;
  };

  [[nodiscard]] bool save_blocks(std::uint32_t& left, state_sink& sink);
  void sort_window();
  void put_block(std::span<marked_value> values, state_sink& sink) const;
  [[nodiscard]] std::string key_of(std::uint32_t entry) const;

  const key_index& groups_;
  std::vector<sql_type> types_;
  std::size_t variants_;
  bool updating_;
  bool forgives_ = false;
  std::uint16_t state_;
  std::uint8_t number_;
  std::uint16_t key_groups_;
  key_index index_;                  ///< over (owner, value)
  std::vector<std::uint32_t> bits_;  ///< by entry, where rows are never taken back
  std::vector<std::int64_t> counts_; ///< by entry and variant, else
  std::vector<std::uint32_t> owners_;
  std::vector<change_mark> born_; ///< by entry; 0 = not there
  std::vector<std::uint32_t> appeared_;
  std::vector<std::uint32_t> vanished_;

  change_mark now_ = 1;
  erased_keys erased_;
  change_mark asked_ = 0;
  saved_entries* early_ = nullptr; ///< while frozen
  bool in_blocks_;
  std::vector<marked_value> window_; ///< of the save: to be put, by key group once it is sorted
  std::vector<std::uint32_t> runs_;  ///< where key groups end in the window
  std::size_t next_run_ = 0;
  std::vector<marked_value> preserved_; ///< changed before they were put
  bool more_frozen_ = false;
  change_mark since_ = 0;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
  std::unique_ptr<loading> loading_;

  std::vector<std::uint32_t> masks_; ///< by row: variants that it is of
  std::vector<std::uint32_t> picks_;
  std::vector<std::uint32_t> missing_;
  std::vector<std::uint32_t> entries_;
  std::vector<std::uint32_t> made_;
  std::vector<std::uint64_t> hashes_;
};

} // namespace ebb
