/// Which key groups of its restored state an operator has asked for that needs all or nothing of a
/// key group.
///
/// All states of a group are asked for at once, and what an operator has of a group is loaded by
/// rising states and keys (subtask_restore.cpp): so blocks come in order, behind what says which of
/// their rows are gone. A group is loaded whole before a row of it comes, or not at all; except
/// while the rest comes by itself, which then goes on to its end.
#pragma once

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ebb {

class cold_groups {
public:
  cold_groups(std::vector<std::uint16_t> states, std::uint16_t key_groups)
      : states_(std::move(states)), asked_(key_groups, 0) {}

  /// The operator goes on: what is loaded from now on is loaded late.
  void begin() noexcept {
    late_ = true;
  }

  /// An entry of the group is loaded.
  void loads(std::uint16_t key_group) noexcept {
    unasked_ = unasked_ || (late_ && key_group < asked_.size() && asked_[key_group] == 0);
  }

  /// No group is loaded in part; but groups may not be loaded at all.
  [[nodiscard]] bool whole_groups() const noexcept {
    return !unasked_;
  }

  /// Wishes for the groups of rows `picks` (null = all), by the key columns.
  void wish(const batch& rows, const std::vector<std::uint32_t>& keys,
            const std::vector<std::uint32_t>* picks, state_wishes& wishes) {
    if (all_asked_)
      return;
    hashes_.resize(rows.rows);
    hash_keys(key_columns(rows, keys), rows.rows, hashes_.data());
    const auto key_groups = static_cast<std::uint16_t>(asked_.size());
    const auto one = [&](std::uint32_t i) {
      const auto group = key_group_of(hashes_[i], key_groups);
      if (asked_[group] != 0)
        return;
      asked_[group] = 1;
      for (const auto state : states_)
        wishes.wish_below(group, state, {});
    };
    if (picks != nullptr)
      for (const auto i : *picks)
        one(i);
    else
      for (std::uint32_t i = 0; i < rows.rows; ++i)
        one(i);
  }

  void wish_all(state_wishes& wishes) {
    if (!std::exchange(all_asked_, true))
      wishes.wish_all();
  }

  void all_loaded() noexcept {
    all_asked_ = true;
    unasked_ = false;
  }

private:
  std::vector<std::uint16_t> states_;
  std::vector<std::uint8_t> asked_; ///< by key group
  bool late_ = false;
  bool unasked_ = false; ///< entries of other groups were loaded, and not all of them
  bool all_asked_ = false;
  std::vector<std::uint64_t> hashes_;
};

} // namespace ebb
