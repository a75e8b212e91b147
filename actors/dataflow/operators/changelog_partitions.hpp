/// What all changelog top-Ns do: rows by partition, kept, saved and loaded.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/changing_rows.hpp"
#include "actors/dataflow/operators/row_compare.hpp"

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

class changelog_partitions : public stream_operator {
public:
  changelog_partitions(const changelog_top_n_spec& spec, operator_context context);

  [[nodiscard]] operator_counters counters() const override;
  change_mark mark() override;

  [[nodiscard]] bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override;
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) override;

protected:
  /// A row was loaded, or is known by another number now.
  virtual void add_loaded(std::uint32_t slot, std::uint32_t row) = 0;
  virtual void renumber(std::uint32_t slot, std::uint32_t from, std::uint32_t to) = 0;
  [[nodiscard]] virtual bool idle() const noexcept = 0; ///< no item is being worked on
  [[nodiscard]] virtual std::size_t list_bytes() const noexcept = 0;

  /// slots[i] = partition of row picks[i] (null = i).
  void find_partitions(const batch& rows, const std::uint32_t* picks, std::uint32_t count,
                       std::vector<std::uint32_t>& slots);
  [[nodiscard]] result<void> move_rows();

  [[nodiscard]] const row_store& rows() const noexcept {
    return kept_.rows();
  }

  [[nodiscard]] bool less(const placed_row& a, const placed_row& b) const {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    const int order = order_.compare(rows(), a.row, rows(), b.row);
    return order != 0 ? order < 0 : a.row < b.row;
  }

  changelog_top_n_spec spec_;
  operator_context context_;
  row_order order_; ///< ORDER BY, then all columns
  row_order peers_; ///< ORDER BY alone
  changing_rows kept_;
  key_index index_;
  operator_counters counters_;

private:
  change_mark mark_ = 1;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> from_;
  std::vector<std::uint32_t> to_;
  std::string last_key_; ///< of the last loaded row
  std::uint32_t last_slot_ = key_index::no_slot;
};

[[nodiscard]] std::unique_ptr<stream_operator>
make_changelog_top_1(const changelog_top_n_spec& spec, operator_context context);

} // namespace ebb
