/// One aggregate call that must keep its values to take rows back: min, max, string_agg, array_agg
/// and others, by an ordered multiset of each group's values.
#pragma once

#include "actors/dataflow/aggregate.hpp"
#include "actors/dataflow/operators/ordered_ids.hpp"
#include "actors/dataflow/operators/value_set.hpp"

#include <vector>

namespace ebb {

class ordered_values {
public:
  /// As value_set. A value is a row of the call's arguments behind its ORDER BY.
  ordered_values(const key_index& groups, aggregate_call call, std::uint16_t state,
                 std::uint8_t number, std::uint16_t key_groups);

  /// Adds rows: `args` are the call's arguments and sort keys.
  [[nodiscard]] result<void> add(std::span<const std::uint32_t> slots, std::span<const column> args,
                                 const std::uint8_t* included, const std::int32_t* weights);

  /// The groups that have a mark are dropped.
  void drop_owners(std::span<const std::uint8_t> marked);

  /// Results of groups, in order.
  [[nodiscard]] result<column> finish(std::span<const std::uint32_t> slots) const;

  [[nodiscard]] value_set& values() noexcept {
    return values_;
  }

  [[nodiscard]] const value_set& values() const noexcept {
    return values_;
  }

  /// Also after `values().load`.
  [[nodiscard]] result<void> finish_load();

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  enum class needs : std::uint8_t { first, last, all };

  void append_bytes(std::span<const column> args, std::uint32_t i, std::string& out) const;
  [[nodiscard]] bool before(std::uint32_t a, std::uint32_t b) const noexcept;
  void insert_appeared();

  aggregate_call call_;
  needs needs_;
  bool once_; ///< DISTINCT
  value_set values_;
  std::vector<ordered_ids<std::uint32_t>> order_; ///< by group
  value_set::changes changes_;
};

} // namespace ebb
