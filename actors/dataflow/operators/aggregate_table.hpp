/// Groups and their accumulators: what one pane, one fired window or one batch of a pre-aggregation
/// holds.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// What all tables of one operator have in common. Outlives them.
struct aggregate_shape {
  std::vector<sql_type> key_types;
  std::vector<aggregate_call> calls;
  std::vector<std::vector<sql_type>> states; ///< state columns of each call
  std::uint16_t key_groups = 128;

  aggregate_shape(std::vector<sql_type> keys, std::vector<aggregate_call> all_calls,
                  std::uint16_t groups);
};

/// The rows of one batch as the calls see them. Made once a batch; shares the batch's memory.
struct call_rows {
  std::uint32_t rows = 0;
  std::vector<std::vector<column>>
      args;                         ///< of each call: arguments and sort keys, or state columns
  std::vector<buffer_ptr> included; ///< of each call: rows that its FILTER lets in; null = all
  const std::int32_t* weights = nullptr;
  /// Of each call, instead of `weights`, where that is not null; may be empty.
  std::vector<const std::int32_t*> call_weights;
  bool states = false; ///< rows are partial results: `args` holds their state columns
};

/// Rows of a batch as the calls' arguments.
[[nodiscard]] call_rows arguments_of(const aggregate_shape& shape, const batch& rows);
/// Rows of a batch as partial results: state columns from column `first` on.
[[nodiscard]] call_rows states_of(const aggregate_shape& shape, const batch& rows,
                                  std::size_t first);

/// Adds rows (all, or the picked ones) to `slots` of the calls' accumulators, which have room.
[[nodiscard]] result<void> update_calls(std::span<const std::unique_ptr<accumulators>> calls,
                                        std::span<const std::uint32_t> slots, const call_rows& rows,
                                        const std::vector<std::uint32_t>* picks);

/// Appends the states that picked rows have each by itself.
[[nodiscard]] result<void> states_of_rows(const aggregate_shape& shape, const call_rows& rows,
                                          const std::vector<std::uint32_t>& picks,
                                          std::vector<column>& out);

/// Rows `picks[0..count)` of a column; neighbours share its memory where they can.
[[nodiscard]] column pick_rows(const column& x, std::span<const std::uint32_t> picks);

class aggregate_table {
public:
  explicit aggregate_table(const aggregate_shape& shape);
  ~aggregate_table();
  aggregate_table(const aggregate_table&) = delete;
  aggregate_table& operator=(const aggregate_table&) = delete;

  /// Adds rows: all of them, or picked ones. `hashes` are of all rows' keys.
  [[nodiscard]] result<void> add(std::span<const column* const> keys, const std::uint64_t* hashes,
                                 const call_rows& rows, const std::vector<std::uint32_t>* picks);

  /// The two halves of `add`: finds or makes the rows' groups (see `last_slots`), then changes
  /// these. Between them the groups are as they were.
  void resolve(std::span<const column* const> keys, const std::uint64_t* hashes,
               const std::uint32_t* picks, std::uint32_t count);
  [[nodiscard]] result<void> update(const call_rows& rows);

  /// Adds the groups `theirs` of another table of the same shape.
  [[nodiscard]] result<void> merge(const aggregate_table& from,
                                   std::span<const std::uint32_t> theirs);

  /// Slots of the groups of the last `add` or `merge`, in its order.
  [[nodiscard]] std::span<const std::uint32_t> last_slots() const noexcept {
    return scratch_;
  }

  /// Takes back what `merge` with the same groups has added; they stay, see `last_slots`. Only
  /// where all calls are invertible.
  void subtract(const aggregate_table& from, std::span<const std::uint32_t> theirs);

  /// The groups are about to be erased though no row came: a save writes them first.
  void touch(std::span<const std::uint32_t> slots) {
    for (const auto slot : slots)
      index_.touch(slot);
    preserve();
  }

  /// Removes a group; its slot may be given to another. Then `slots()` may not be asked for.
  void erase(std::uint32_t slot);

  [[nodiscard]] bool invertible() const noexcept;

  /// Appends the results (or the states) of groups as columns.
  [[nodiscard]] result<void> results(std::span<const std::uint32_t> slots,
                                     std::vector<column>& out) const;
  void states(std::span<const std::uint32_t> slots, std::vector<column>& out) const;
  /// Appends the key columns of groups.
  void keys(std::span<const std::uint32_t> slots, std::vector<column>& out) const;

  /// Where groups are written: `prefix` stands before their keys. -1 = the key group is the hash's.
  struct entry_place {
    std::string prefix;
    std::uint16_t state = 0;
    std::int32_t key_group = -1;
  };

  /// Puts groups. An entry's value: exact keys where the canonical ones lose something, then
  /// states.
  void put(std::span<const std::uint32_t> slots, const entry_place& place, state_sink& sink) const;

  /// Starts a save of the groups that changed after `since` (see key_index::freeze): those that
  /// change before `save_frozen` has come to them are put into `early`.
  void freeze(change_mark since, entry_place place, state_sink& early);
  void unfreeze();
  /// Puts up to `most` of the frozen groups; returns how many. `all` = there are no more.
  std::uint32_t save_frozen(std::uint32_t most, state_sink& sink, bool& all);
  /// Takes a saved group. Groups are added many at a time: none is there for sure before
  /// `finish_load`.
  [[nodiscard]] result<void> load(std::string_view key, std::string_view value);
  [[nodiscard]] result<void> finish_load();

  /// There are some to be added; else `last_slots` has those of the last `load` or `finish_load`
  /// that added some.
  [[nodiscard]] bool has_pending() const noexcept {
    return loading_ != nullptr;
  }

  /// Slots of all groups, ascending.
  [[nodiscard]] std::vector<std::uint32_t> slots() const;

  [[nodiscard]] key_index& index() noexcept {
    return index_;
  }

  [[nodiscard]] const key_index& index() const noexcept {
    return index_;
  }

  /// Drops all groups; keeps memory for the next ones.
  void clear();

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  struct loading;

  static constexpr char saved_version = 1; ///< first byte of an entry's value

  void make_room();

  /// Before groups change: writes out those that a save has frozen.
  void preserve() {
    if (early_ != nullptr && !index_.preserved().empty()) [[unlikely]]
      put_preserved();
  }

  void put_preserved();

  const aggregate_shape& shape_;
  key_index index_;
  std::vector<std::unique_ptr<accumulators>> calls_;
  std::vector<std::uint32_t> scratch_;
  state_sink* early_ = nullptr; ///< while frozen
  entry_place place_;
  std::unique_ptr<loading> loading_; ///< groups that wait to be added
};

} // namespace ebb
