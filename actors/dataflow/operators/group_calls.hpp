/// How group_aggregate keeps what its calls need: accumulators of the groups' table for what is
/// added up, sets of values beside it for DISTINCT and for what cannot be taken back otherwise.
#pragma once

#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/ordered_values.hpp"
#include "actors/dataflow/operators/value_set.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ebb {

class group_calls {
public:
  static constexpr std::uint16_t group_entries = 0; ///< state of the groups

  group_calls(const group_aggregate_spec& spec, const operator_context& context);

  [[nodiscard]] aggregate_table& table() noexcept {
    return table_;
  }

  [[nodiscard]] const aggregate_table& table() const noexcept {
    return table_;
  }

  /// Adds the rows, whose groups `table().resolve` has found.
  [[nodiscard]] result<void> update(const batch& rows);

  /// Appends the results of groups, one column a call. With `counts`, where rows may be taken back,
  /// also how many rows each group has.
  [[nodiscard]] result<void> results(std::span<const std::uint32_t> slots, std::vector<column>& out,
                                     column* counts) const;

  /// Removes a group without rows, or one whose values were dropped.
  void erase(std::uint32_t slot);

  /// Where groups may be dropped: forgets the values of some.
  void drop_values(std::span<const std::uint32_t> slots);

  /// Where groups may go: whether it has had rows.
  [[nodiscard]] bool has_had_rows(std::uint32_t slot) const noexcept {
    return slot < born_.size() && born_[slot] != 0;
  }

  // Saving, as of stream_operator.
  void mark();
  void begin_save(change_mark since);
  [[nodiscard]] bool save_slice(std::uint32_t& left, state_sink& sink);
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::uint16_t state, std::string_view key,
                                  std::string_view value);
  [[nodiscard]] result<void> finish_load();

  /// A group may be loaded when its first row comes.
  [[nodiscard]] bool loads_late() const noexcept {
    return !drops_ && !shape_.key_types.empty();
  }

  /// It is one entry; else all states of its key group are needed.
  [[nodiscard]] bool one_entry_each() const noexcept {
    return sets_.empty() && ordered_.empty();
  }

  [[nodiscard]] static std::vector<std::uint16_t> states() {
    return {group_entries, set_entries, ordered_entries, value_set::block_state};
  }

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  // Other states.
  static constexpr std::uint16_t set_entries = 1;
  static constexpr std::uint16_t ordered_entries = 2;

  struct shared_set {
    std::vector<std::uint32_t> args;
    std::vector<std::int32_t> filters; ///< of the variants
    std::unique_ptr<value_set> values;
  };

  /// Where a call of the query is answered.
  struct place {
    bool ordered = false;
    std::size_t at = 0; ///< call of the table, or of `ordered_`
  };

  /// A call of the table that sees only what becomes or ceases to be a value of a set.
  struct distinct_call {
    std::size_t call = 0;
    std::size_t set = 0;
    std::size_t variant = 0;
  };

  void add_call(aggregate_call call);
  void add_distinct(aggregate_call call);
  [[nodiscard]] static aggregate_shape
  shape_of(const group_aggregate_spec& spec, const operator_context& context, group_calls& calls);
  void note_loaded();
  [[nodiscard]] result<std::uint32_t> take_owner(std::string_view& key);

  template <class Do>
  void each_set(const Do& act) {
    for (auto& set : sets_)
      act(*set.values);
    for (auto& x : ordered_)
      act(x->values());
  }

  bool updating_;
  bool merges_; ///< rows are partial results
  bool drops_; ///< those that were not written for long
  bool goes_;  ///< a group may go: its rows are taken back, or it is dropped
  std::uint16_t key_groups_;
  std::vector<place> places_;
  std::vector<distinct_call> distinct_;
  std::vector<shared_set> sets_;
  std::vector<aggregate_call> ordered_calls_;
  std::vector<aggregate_call> calls_; ///< of the table; where rows may be taken back, count(*) last
  aggregate_shape shape_;
  aggregate_table table_;
  std::vector<std::unique_ptr<ordered_values>> ordered_;
  std::vector<value_set::changes> changes_; ///< by set

  change_mark now_ = 1;
  change_mark asked_ = 0;
  erased_keys erased_;                   ///< groups
  std::vector<change_mark> born_;        ///< by slot, where groups may go
  std::unique_ptr<saved_entries> early_; ///< while saving
  change_mark since_ = 0;
  std::size_t next_erased_ = 0;
  std::size_t erased_end_ = 0;
  bool table_saved_ = true;

  std::string last_owner_; ///< bytes of the group of the last loaded value
  std::uint32_t last_slot_ = key_index::no_slot;
};

} // namespace ebb
