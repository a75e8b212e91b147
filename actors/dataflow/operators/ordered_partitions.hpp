/// Rows by partition, those of each in order.
#pragma once

#include "actors/dataflow/operators/changelog_partitions.hpp"
#include "actors/dataflow/operators/ordered_ids.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ebb {

class ordered_partitions : public changelog_partitions {
public:
  using row_list = ordered_ids<placed_row>;

  using changelog_partitions::changelog_partitions;

protected:
  [[nodiscard]] virtual result<void> take_rows(const batch& rows) = 0;

  /// Before each step's work: takes the rows of an item, if it has some (null = none came).
  [[nodiscard]] result<void> take_item(const stream_item* item, step_budget& budget) {
    finish_load();
    if (item == nullptr || item->kind != item_kind::batch)
      return {};
    counters_.rows_in += item->rows->rows;
    budget.rows -= std::min(budget.rows, item->rows->rows / 4);
    if (auto taken = take_rows(*item->rows); !taken)
      return name_row(std::move(taken).error(), *item->rows, context_.name);
    return {};
  }

  void add_loaded(std::uint32_t slot, std::uint32_t row) override {
    if (slot >= lists_.size())
      lists_.resize(std::max<std::size_t>(slot + std::size_t{1}, lists_.size() * 2));
    insert(slot, {order_.prefix(rows(), row), row});
  }

  void renumber(std::uint32_t slot, std::uint32_t from, std::uint32_t to) override {
    const auto prefix = order_.prefix(rows(), from);
    erase(slot, {prefix, from});
    insert(slot, {prefix, to});
  }

  void drop_rows(std::uint32_t slot, std::vector<std::uint32_t>& numbers) override {
    lists_[slot].each([&](const placed_row& x) {
      numbers.push_back(x.row);
      return true;
    });
    lists_[slot] = {};
  }

  [[nodiscard]] std::size_t list_bytes() const noexcept override {
    return lists_.capacity() * (sizeof(row_list) + sizeof(std::uint32_t))
           + kept_.living() * (sizeof(placed_row) + 8);
  }

  /// A list for each partition that is known.
  void make_lists() {
    lists_.resize(std::max<std::size_t>(lists_.size(), index_.slot_count()));
  }

  [[nodiscard]] auto by_order() const {
    return placed_less{order_, rows()};
  }

  void insert(std::uint32_t slot, const placed_row& x) {
    lists_[slot].insert(x, by_order());
  }

  void erase(std::uint32_t slot, const placed_row& x) {
    lists_[slot].erase(x, by_order());
  }

  /// The first row of the partition that is equal to row i of the batch, whose prefix is given, and
  /// that is behind row `after`, which is equal, too. Null = none.
  [[nodiscard]] const placed_row* find_equal(std::uint32_t slot, const batch& input,
                                             std::uint32_t i, std::uint64_t prefix,
                                             std::optional<std::uint32_t> after = {}) const {
    const auto* found = lists_[slot].find([&](const placed_row& x) {
      if (x.prefix != prefix)
        return x.prefix < prefix;
      const int order = order_.compare(input, i, rows(), x.row);
      return order != 0 ? order > 0 : after && x.row <= *after;
    });
    const bool equal = found != nullptr && found->prefix == prefix
                       && order_.compare(input, i, rows(), found->row) == 0;
    return equal ? found : nullptr;
  }

  /// Partitions among them that have lost their last row go.
  template <class Touched>
  void erase_empty(const std::vector<Touched>& touched) {
    for (const auto& x : touched)
      if (lists_[x.slot].empty())
        erase_partition(x.slot);
  }

  std::vector<row_list> lists_; ///< by partition
};

} // namespace ebb
