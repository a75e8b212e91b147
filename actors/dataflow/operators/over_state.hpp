/// State of an OVER operator: rows that wait, rows that later frames reach, counters and
/// accumulators of the partitions; and how it is saved and loaded.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/over_calls.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/time_queue.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

class over_state {
public:
  /// A row that the watermark has passed.
  struct ready_row {
    std::uint64_t prefix = 0;
    std::uint32_t row = 0;
    std::uint32_t slot = 0;
  };

  over_state(const over_spec& spec, operator_context context);

  /// ORDER BY, then partition by partition, then the order of arrival.
  [[nodiscard]] bool before(const ready_row& a, const ready_row& b) const {
    if (a.prefix != b.prefix)
      return a.prefix < b.prefix;
    if (const int by_keys = order.compare(rows, a.row, rows, b.row); by_keys != 0)
      return by_keys < 0;
    return a.slot != b.slot ? a.slot < b.slot : a.row < b.row;
  }

  [[nodiscard]] bool peers(const ready_row& a, const ready_row& b) const {
    return a.slot == b.slot && a.prefix == b.prefix && order.compare(rows, a.row, rows, b.row) == 0;
  }

  /// Counts a processed block into its partitions and lets go of rows that no later one reaches.
  /// May renumber the rows.
  void move_on(const over_block& block);

  /// Builds the state of what was loaded. Called before each step; does nothing later.
  [[nodiscard]] result<void> finish_load();

  change_mark mark();
  void save(std::uint16_t key_group, change_mark since, micros watermark, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value);

  /// Forgets what saves of one state share.
  void saving_ends() noexcept {
    saved_fresh_ = false;
  }

  [[nodiscard]] std::size_t byte_size() const;

  row_order order;
  over_calls calls;
  row_store rows;
  key_index index;
  std::vector<over_partition> partitions; ///< by slot
  acted_watermark acted;                  ///< before a restart
  time_queue waiting;
  std::vector<ready_row> ready; ///< not processed

private:
  // A row that was saved and is gone.
  struct erased_row {
    change_mark at;
    std::uint16_t group;
    std::string key;
  };

  void forget(std::uint32_t row);
  void compact();
  void sort_rows(change_mark since) const;
  [[nodiscard]] result<void> finish_partition(std::span<const ready_row> sorted);
  [[nodiscard]] std::string key_of(std::uint32_t row) const;
  [[nodiscard]] std::uint16_t group_of(std::uint32_t row) const;

  [[nodiscard]] static bool first_is_apart(const over_partition& x) noexcept {
    return x.first != row_store::no_row && (x.history.empty() || x.history.front() != x.first);
  }

  std::vector<std::uint32_t> partition_by_;
  std::uint32_t time_column_;
  std::uint16_t key_groups_;
  std::uint64_t dead_ = 0; ///< rows of the store that nothing needs
  change_mark current_ = 1;
  sequence_marks marks_;
  std::vector<erased_row> erased_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> loaded_; ///< slot, row
  std::vector<std::size_t> loaded_history_; ///< by slot: 2 x rows of history + first is apart
  std::optional<error> load_failure_;
  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<std::uint32_t> saved_;
  mutable group_buckets buckets_;
  mutable change_mark largest_since_ = 0;
};

} // namespace ebb
