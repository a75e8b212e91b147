/// Pre-aggregation before an exchange: the rows of one batch become one partial result a group and
/// pane. Keeps nothing between batches and drops nothing: lateness is the final phase's business.
#pragma once

#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/pane_finder.hpp"

namespace ebb {

/// Output: keys…, pane_start, pane_end, states of each call…. Batches carry the hashes of their
/// keys where they are known.
class partial_aggregate final : public stream_operator {
public:
  partial_aggregate(const window_aggregate_spec& spec, operator_context context);

  [[nodiscard]] result<bool> step(stream_item* item, step_budget& budget, output& out) override;
  [[nodiscard]] bool wants_ticks() const noexcept override;
  [[nodiscard]] operator_counters counters() const override;

private:
  [[nodiscard]] result<void> take(const batch& rows, micros other_channels, output& out);
  /// Rows (all, or picked ones) that lie in this pane, none behind: the pane is no part of the
  /// groups' keys.
  [[nodiscard]] result<void> emit_pane(const call_rows& calls, const pane_id& pane,
                                       const std::vector<std::uint32_t>* picks, output& out);
  /// Starts on the keys of a batch.
  void take_keys(const batch& rows);
  /// Emits the table's groups and empties it.
  void emit_groups(aggregate_table& table, const pane_id* pane, output& out);

  /// A column of one edge of the pane being emitted.
  struct edge_values {
    micros time = min_time;
    buffer_ptr values;
    std::uint32_t room = 0;

    [[nodiscard]] column of(micros wanted, std::uint32_t rows);
  };

  /// Splits rows into those on time and those behind an edge of their windows, whose own watermark
  /// must travel with them.
  void split(const batch& rows, micros other_channels);
  [[nodiscard]] result<void> emit_on_time(const batch& rows, const call_rows& calls, output& out);
  [[nodiscard]] result<void> emit_behind(const batch& rows, const call_rows& calls, output& out);

  operator_context context_;
  window_spec window_;
  std::vector<std::uint32_t> keys_;
  aggregate_shape shape_;       ///< keys: pane start and end, then ours
  aggregate_shape group_shape_; ///< keys: ours
  window_slicer slicer_;
  pane_finder finder_;
  aggregate_table table_;
  aggregate_table groups_; ///< of group_shape_
  micros now_ = 0;         ///< last tick

  edge_values pane_start_;
  edge_values pane_end_;
  std::vector<const column*> key_columns_;
  std::vector<std::uint32_t> slots_; ///< 0, 1, 2, …, as many as a table ever had
  std::vector<std::uint32_t> on_time_;
  std::vector<std::uint32_t> behind_;
  std::vector<micros> behind_watermarks_;
  column pane_starts_;
  column pane_ends_;
  std::vector<std::uint64_t> hashes_;
  operator_counters counters_;
};

} // namespace ebb
