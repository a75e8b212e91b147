/// What all changelog top-Ns do: rows by partition, kept, saved and loaded.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/changing_rows.hpp"
#include "actors/dataflow/operators/cold_groups.hpp"
#include "actors/dataflow/operators/key_retention.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/saved_sequences.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebb {

/// A row with its order prefix.
struct placed_row {
  std::uint64_t prefix = 0;
  std::uint32_t row = row_store::no_row;
};

/// The order of a partition's rows: `order`, which does not tell only equal rows apart, then their
/// numbers.
struct placed_less {
  const row_order& order;
  const row_store& rows;

  [[nodiscard]] bool operator()(const placed_row& a, const placed_row& b) const {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    const int by_columns = order.compare(rows, a.row, rows, b.row);
    return by_columns != 0 ? by_columns < 0 : a.row < b.row;
  }
};

class changelog_partitions : public stream_operator {
public:
  changelog_partitions(const changelog_top_n_spec& spec, operator_context context);

  [[nodiscard]] operator_counters counters() const override;
  change_mark mark() override;

  [[nodiscard]] bool wants_ticks() const noexcept override {
    return retention_.by_ticks();
  }

  [[nodiscard]] bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override;
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) override;

  [[nodiscard]] bool loads_late() const noexcept override {
    return !retention_.active(); // which must look at all
  }

  void wish(const stream_item& item, state_wishes& wishes) override;
  void all_loaded() override;

protected:
  /// A row was loaded, or is known by another number now.
  virtual void add_loaded(std::uint32_t slot, std::uint32_t row) = 0;
  virtual void renumber(std::uint32_t slot, std::uint32_t from, std::uint32_t to) = 0;
  [[nodiscard]] virtual bool idle() const noexcept = 0; ///< no item is being worked on
  /// The partition is dropped: forgets its rows, and appends their numbers.
  virtual void drop_rows(std::uint32_t slot, std::vector<std::uint32_t>& numbers) = 0;
  [[nodiscard]] virtual std::size_t list_bytes() const noexcept = 0;

  /// slots[i] = partition of row picks[i] (null = i).
  void find_partitions(const batch& rows, const std::uint32_t* picks, std::uint32_t count,
                       std::vector<std::uint32_t>& slots);
  /// slots[i] = partition of the stored row numbers[i].
  void find_partitions(std::span<const std::uint32_t> numbers, std::vector<std::uint32_t>& slots);
  [[nodiscard]] result<void> move_rows();
  /// What is done when an item's rows are through (null = was told): time goes on, and partitions
  /// that were not written for long are dropped. True = more to do.
  [[nodiscard]] bool finish_item(const stream_item* item, step_budget& budget, output& out);
  /// The partition has no rows left.
  void erase_partition(std::uint32_t slot);
  /// Row i of the batch is to be deleted, and is not there.
  [[nodiscard]] error not_there(const batch& rows, std::uint32_t i) const;

  [[nodiscard]] const row_store& rows() const noexcept {
    return kept_.rows();
  }

  [[nodiscard]] bool less(const placed_row& a, const placed_row& b) const {
    return placed_less{order_, rows()}(a, b);
  }

  changelog_top_n_spec spec_;
  operator_context context_;
  row_order order_; ///< ORDER BY, then all columns
  row_order peers_; ///< ORDER BY alone
  changing_rows kept_;
  key_index index_;
  key_retention retention_;
  saved_sequences sequences_;
  cold_groups cold_;
  operator_counters counters_;

  /// Before each item.
  void finish_load() {
    if (loading_)
      retention_.finish_load();
    loading_ = false;
  }

private:
  change_mark mark_ = 1;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> from_;
  std::vector<std::uint32_t> to_;
  std::vector<std::uint32_t> expired_;
  bool loading_ = false;
};

[[nodiscard]] std::unique_ptr<stream_operator>
make_changelog_top_1(const changelog_top_n_spec& spec, operator_context context);

} // namespace ebb
