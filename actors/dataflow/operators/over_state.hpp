/// State of an OVER operator: rows that wait, rows that later frames reach, counters and
/// accumulators of the partitions; and how it is saved and loaded.
#pragma once

#include "actors/dataflow/key_index.hpp"
#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/over_calls.hpp"
#include "actors/dataflow/operators/row_compare.hpp"
#include "actors/dataflow/operators/row_marks.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"
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

  /// The partitions of a block are about to change: those that a save still has to write are
  /// written out.
  void preserve(const over_block& block);

  change_mark mark();
  /// As of stream_operator. Until a save is over, rows keep their numbers.
  void begin_save(change_mark since, micros watermark);
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink);
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
  static constexpr std::uint16_t watermark_state = 2; ///< 0: rows, 1: partitions

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    change_mark until = 0;
    micros watermark = min_time;
    std::uint32_t next_group = 0; ///< of the owned ones
    std::size_t next_erased = 0;
    std::size_t erased_end = 0;
    frozen_rows row_list;
    bool rows_done = false;
    // Partitions: those listed as changed, or, after saves that were given up, all there were.
    bool listed = false;
    std::size_t next_partition = 0;
    std::size_t partitions_end = 0;
    saved_entries early; ///< of partitions that changed before their turn
  };

  void forget(std::uint32_t row);
  void compact();
  void sort_rows(change_mark since) const;
  [[nodiscard]] result<void> finish_partition(std::span<const ready_row> sorted);
  [[nodiscard]] std::string key_of(std::uint32_t row) const;
  [[nodiscard]] std::uint16_t group_of(std::uint32_t row) const;
  [[nodiscard]] bool save_partitions(std::uint32_t& left, state_sink& sink);
  void put_rows(std::span<const std::uint32_t> numbers, state_sink& sink) const;
  void put_partitions(std::span<const std::uint32_t> slots, state_sink& sink) const;
  template <class Put>
  void for_each_value(std::span<const std::uint32_t> slots, const Put& put) const;

  [[nodiscard]] static bool first_is_apart(const over_partition& x) noexcept {
    return x.first != row_store::no_row && (x.history.empty() || x.history.front() != x.first);
  }

  std::vector<std::uint32_t> partition_by_;
  std::uint32_t time_column_;
  std::uint16_t key_groups_;
  owned_groups own_;
  std::uint64_t dead_ = 0; ///< rows of the store that nothing needs
  change_mark current_ = 1;
  sequence_marks marks_;
  erased_keys erased_;                 ///< rows
  row_marks gone_;                     ///< rows that nothing needs any more
  std::vector<std::uint32_t> changed_; ///< slots of partitions, since the last mark
  std::vector<std::uint32_t> frozen_;  ///< between the two marks before
  std::optional<frozen_save> save_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> loaded_; ///< slot, row
  std::vector<std::size_t> loaded_history_; ///< by slot: 2 x rows of history + first is apart
  std::optional<error> load_failure_;
  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<std::uint32_t> saved_;
  mutable group_buckets buckets_;
  mutable change_mark asked_ = 0; ///< largest `since` of a save
};

} // namespace ebb
