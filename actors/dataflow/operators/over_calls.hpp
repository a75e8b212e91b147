/// The functions of an OVER clause, computed for a block of rows at a time.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/row_store.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// What is kept of one partition besides its waiting rows and its accumulators.
struct over_partition {
  std::vector<std::uint32_t> history; ///< the last processed rows that a frame or lag can reach
  std::uint32_t first = row_store::no_row; ///< first row of all, where first_value asks for it
  std::int64_t rows = 0;                   ///< processed
  std::int64_t peer_groups = 0;            ///< processed
  std::uint32_t changed_at = 0;            ///< change number of the last block
};

/// Rows of one partition in a block: places first .. first + count.
struct over_run {
  std::uint32_t slot = 0;
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

/// Rows to process together: partition by partition, in ORDER BY's order within each; peers are
/// never split between blocks.
struct over_block {
  std::vector<std::uint32_t> rows;        ///< row numbers by place
  std::vector<over_run> runs;             ///< in the order of places
  std::vector<std::uint32_t> group_first; ///< place of the row's first peer
  std::vector<std::uint32_t> group_last;  ///< place of its last peer

  [[nodiscard]] std::uint32_t size() const noexcept {
    return static_cast<std::uint32_t>(rows.size());
  }
};

/// A row's columns, then one for each call.
[[nodiscard]] std::vector<sql_type> types_with_results(std::vector<sql_type> row,
                                                       const std::vector<over_call>& calls);

class over_calls {
public:
  /// `order`: the first column of ORDER BY, which RANGE goes by.
  over_calls(const std::vector<over_call>& calls, const sort_key& order,
             const std::vector<sql_type>& input);

  /// One column a call, by place. Moves the accumulators on, but not the partitions.
  [[nodiscard]] result<std::vector<column>> compute(const over_block& block, const row_store& rows,
                                                    const std::vector<over_partition>& partitions);

  /// As `compute`, of runs that are whole partitions, or as much of them as the wanted rows' frames
  /// reach. Nothing is kept.
  [[nodiscard]] result<std::vector<column>> compute_whole(const over_block& block,
                                                          const row_store& rows);

  /// How many processed rows the partition must keep after a row of this time.
  [[nodiscard]] std::size_t rows_kept() const noexcept {
    return rows_kept_;
  }

  /// Processed rows with times from this one on are kept; max_time = no call asks by time.
  [[nodiscard]] micros kept_from(micros last_time) const noexcept;

  [[nodiscard]] bool keeps_first() const noexcept {
    return keeps_first_;
  }

  /// The partitions' accumulators as columns, by place in `slots`; `load` takes the byte form of
  /// one's, column after column.
  [[nodiscard]] std::vector<column> states(std::span<const std::uint32_t> slots) const;
  [[nodiscard]] result<void> load(std::uint32_t slot, std::string_view bytes);

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  struct call_state {
    over_call call;
    std::unique_ptr<accumulators> running; ///< by partition; unbounded frames
    std::unique_ptr<accumulators> single;  ///< by place: one row
    std::unique_ptr<accumulators> frame;   ///< by place: the frame
  };

  /// The rows that frames of a block can reach: each run's history, then its rows.
  struct reach {
    std::vector<std::uint32_t> rows;
    std::vector<std::uint32_t> at;    ///< of a place: where it is in `rows`
    std::vector<std::uint32_t> start; ///< of a place: where its partition starts in `rows`
    std::vector<std::uint32_t> end;   ///< and ends
  };

  /// The value at which a RANGE begins or ends; no value is as large (1) or as small (-1).
  struct range_bound {
    std::int64_t value = 0;
    int beyond = 0;
  };

  void find_reach(const over_block& block, const std::vector<over_partition>& partitions);
  // over_frames.cpp: places in `reach_`; an end is behind the frame's last row.
  void frame_starts(const frame_spec& frame, const over_block& block, const row_store& rows,
                    std::vector<std::uint32_t>& starts) const;
  void frame_ends(const frame_spec& frame, const over_block& block, const row_store& rows,
                  std::vector<std::uint32_t>& ends) const;
  [[nodiscard]] range_bound moved(std::int64_t value, std::int64_t by) const;
  [[nodiscard]] bool value_before(const row_store& rows, std::uint32_t row, range_bound bound,
                                  bool or_equal) const;
  [[nodiscard]] std::vector<std::uint32_t>
  last_places(const frame_spec& frame, const over_block& block, const row_store& rows) const;
  [[nodiscard]] std::vector<std::uint32_t>
  first_places(const frame_spec& frame, const over_block& block, const row_store& rows) const;

  [[nodiscard]] column numbers(const over_call& call, const over_block& block,
                               const std::vector<over_partition>& partitions) const;
  [[nodiscard]] static column shares(const over_call& call, const over_block& block);
  [[nodiscard]] static column tiles(const over_call& call, const over_block& block);
  [[nodiscard]] column values(const over_call& call, const over_block& block, const row_store& rows,
                              const std::vector<over_partition>& partitions) const;
  [[nodiscard]] result<column> aggregate_running(call_state& x, const over_block& block,
                                                 const row_store& rows,
                                                 std::size_t partition_count);
  [[nodiscard]] result<column> aggregate_along(call_state& x, const over_block& block,
                                               const row_store& rows, bool backwards);
  [[nodiscard]] result<void> run_on(call_state& x, const over_block& block, bool backwards,
                                    const std::vector<std::uint8_t>& wanted);
  [[nodiscard]] result<column> aggregate_frames(call_state& x, const over_block& block,
                                                const row_store& rows);
  [[nodiscard]] result<void> add_rows(const call_state& x, accumulators& to, const row_store& rows,
                                      std::span<const std::uint32_t> numbers,
                                      std::span<const std::uint32_t> slots) const;

  std::vector<call_state> calls_;
  sort_key order_;
  bool by_numbers_ = false; ///< the order's column is a whole number, not a time
  std::size_t rows_kept_ = 0;
  micros range_kept_ = -1; ///< longest RANGE offset; -1 = none
  bool keeps_first_ = false;
  bool reaches_ = false; ///< some call looks at other rows
  reach reach_;
  std::uint32_t partitions_ = 0; ///< that `running` accumulators have room for
};

} // namespace ebb
