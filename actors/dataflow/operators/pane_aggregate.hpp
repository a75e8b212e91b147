/// GROUP BY over aligned or attached windows: rows (or partial results) in, results out when the
/// watermark passes a window's end.
///
/// Rows are added to panes only; a window's panes are merged when it fires. Firing is a cursor: it
/// merges and emits within the step's budget and is part of the saved state.
#pragma once

#include "actors/dataflow/event_timer.hpp"
#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/batch_collector.hpp"
#include "actors/dataflow/operators/owned_groups.hpp"
#include "actors/dataflow/operators/pane_finder.hpp"
#include "actors/dataflow/operators/running_window.hpp"
#include "actors/dataflow/operators/saved_entries.hpp"

#include <map>
#include <optional>
#include <set>

namespace ebb {

/// The phases complete and final, for every window but sessions.
class pane_aggregate final : public stream_operator, public event_timer {
public:
  pane_aggregate(const window_aggregate_spec& spec, operator_context context);

  [[nodiscard]] result<bool> step(stream_item* item, step_budget& budget, output& out) override;
  [[nodiscard]] bool wants_ticks() const noexcept override;
  [[nodiscard]] micros next_tick() const noexcept override;
  [[nodiscard]] micros next_watermark() const noexcept override;
  [[nodiscard]] operator_counters counters() const override;

  change_mark mark() override;

  [[nodiscard]] bool saves_frozen() const noexcept override {
    return true;
  }

  void begin_save(change_mark since) override;
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink) override;
  void save(std::uint16_t key_group, change_mark since, state_sink& sink) const override;

  [[nodiscard]] bool loads_late() const noexcept override {
    return true;
  }

  [[nodiscard]] bool loads_first(std::uint16_t state) const noexcept override {
    return state == progress_state;
  }

  void wish(const stream_item& item, state_wishes& wishes) override;
  void all_loaded() override;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value) override;

private:
  using table_ptr = std::unique_ptr<aggregate_table>;

  /// A window on its way out.
  struct firing {
    pane_id window;
    micros fired_before = min_time; ///< `fired_` without this window
    /// Panes that are put together: into `merged`, of which `part` and `part_slot` say how far, or
    /// by running_.
    std::vector<const aggregate_table*> parts;
    std::size_t part = 0;
    std::uint32_t part_slot = 0;
    table_ptr merged;
    /// Panes of the window that no later one needs.
    std::vector<std::pair<pane_id, table_ptr>> finished;
    /// What is emitted once it is complete: `merged`, running_'s groups or the only pane.
    const aggregate_table* groups = nullptr;
    std::uint32_t next = 0; ///< slots before it are emitted
    bool resumed = false;   ///< `groups` are what a loaded state had not emitted
  };

  /// A pane or window that left the state while marks were taken.
  struct dropped_prefix {
    change_mark at;
    std::uint16_t state;
    pane_id id;
  };

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    std::vector<std::string> progress; ///< by owned group
    std::uint16_t next_group = 0;
    std::vector<dropped_prefix> dropped;
    std::vector<aggregate_table*> tables; ///< from next_table on, not wholly written
    std::size_t next_table = 0;
    /// The window being emitted: slots [window_next, window_end) of its groups, and where they go.
    const aggregate_table* window = nullptr;
    std::uint32_t window_next = 0;
    std::uint32_t window_end = 0;
    aggregate_table::entry_place window_place;
    std::vector<table_ptr> kept; ///< tables that are needed for the save only
    saved_entries early;
  };

  void accept(const stream_item& item);
  [[nodiscard]] result<bool> work(step_budget& budget, output& out);
  /// Key columns and hashes of a batch, which outlives their use.
  void take_keys(const batch& rows);
  void start_batch(const stream_item& item);
  [[nodiscard]] result<void> take_rows(step_budget& budget);
  /// Sorts rows into panes until one needs windows to fire before it; counts late ones.
  void split_rows();
  [[nodiscard]] result<void> add_rows(const pane_id& pane, const std::vector<std::uint32_t>* picks);
  [[nodiscard]] result<void> add_late_rows(aggregate_table& pane,
                                           const std::vector<std::uint32_t>* picks);
  /// Gets a bit of the next window's work done before it fires.
  [[nodiscard]] result<void> prepare();
  void enter_coming_pane();
  [[nodiscard]] bool start_firing();
  void choose_groups();
  [[nodiscard]] result<void> continue_firing(step_budget& budget, output& out);
  [[nodiscard]] result<void> merge_parts(step_budget& budget);
  [[nodiscard]] result<void> emit_groups(step_budget& budget, output& out);
  void finish_firing();
  /// Removes groups of the firing window that others of their key group had seen fire.
  void leave_out_fired(std::vector<std::uint32_t>& slots) const;
  void drop(std::uint16_t state, const pane_id& id);
  void drop_finished();

  /// The window's panes are still being put together: the state is as before it began to fire.
  [[nodiscard]] bool merging() const noexcept {
    return firing_ && firing_->groups == nullptr;
  }

  [[nodiscard]] std::string progress_of(std::uint16_t key_group) const;
  /// Ends of panes, rising; not all of them where there are many.
  [[nodiscard]] std::vector<micros> pane_ends() const;
  void wish_rows(const batch& rows, state_wishes& wishes);
  void wish_panes(micros until, state_wishes& wishes);
  [[nodiscard]] aggregate_table::entry_place place_of(const aggregate_table& table,
                                                      const pane_id& id, std::uint16_t state) const;
  void freeze_table(aggregate_table& table, const pane_id& id, std::uint16_t state);
  void put_window(std::uint32_t end, state_sink& sink);
  void end_save();
  [[nodiscard]] std::optional<pane_id> next_window() const;
  /// End of the first window that is open; max_time = none that is loaded.
  [[nodiscard]] micros first_end() const noexcept;
  [[nodiscard]] table_ptr make_table();
  void recycle(table_ptr table);
  /// Key group of a group of a pane or window.
  [[nodiscard]] std::uint16_t group_of(const pane_id& id, std::uint64_t hash) const;
  void slots_of_group(const aggregate_table& table, const pane_id& id, std::uint16_t key_group,
                      std::vector<std::uint32_t>& slots) const;
  void save_table(const aggregate_table& table, const pane_id& id, std::uint16_t state,
                  std::uint16_t key_group, change_mark since, std::uint32_t first_slot,
                  state_sink& sink) const;
  void finish_load();
  [[nodiscard]] result<void> load_progress(std::uint16_t key_group, std::string_view value);

  // States.
  static constexpr std::uint16_t progress_state = 0;
  static constexpr std::uint16_t pane_entries = 1;
  static constexpr std::uint16_t window_entries = 2;
  // Of a progress entry.
  static constexpr char has_window = 1;
  static constexpr char has_more = 2;
  static constexpr std::size_t ends_told = 16;

  operator_context context_;
  window_spec window_;
  bool final_;
  std::vector<std::uint32_t> keys_;
  aggregate_shape shape_;
  window_slicer slicer_;
  pane_finder finder_;

  std::map<pane_id, table_ptr> panes_;
  std::map<pane_id, table_ptr> resumed_;  ///< loaded windows that were being emitted
  std::vector<table_ptr> spare_;          ///< empty
  std::optional<running_window> running_; ///< where windows overlap a lot

  /// The first pane that running_ does not cover yet.
  struct coming_pane {
    pane_id id;
    std::uint32_t quiet = 0; ///< batches since it was given rows
  } coming_;

  std::optional<firing> firing_;
  batch_collector collector_;
  micros fired_ = min_time;    ///< windows that end at or before it have fired
  micros target_ = min_time;   ///< windows that end at or before it are to fire
  micros promised_ = min_time; ///< watermark to send on once they have
  micros passed_ = min_time;   ///< watermark sent on
  micros now_ = min_time;      ///< last tick
  bool idle_ = false;          ///< to be passed on
  /// After loading groups of instances that had fired to different times: each group's own.
  std::vector<micros> fired_of_group_;

  batch_ptr rows_; ///< being taken
  std::uint32_t next_row_ = 0;
  micros other_channels_ = max_time;
  std::vector<const column*> key_columns_;
  const std::uint64_t* row_hashes_ = nullptr; ///< those of `rows_`, or of `hashes_`
  std::vector<std::uint64_t> hashes_;
  call_rows call_rows_;

  bool loading_ = false; ///< tables hold groups that are not added yet

  /// What may not be loaded yet.
  struct cold_parts {
    std::set<micros> ends; ///< of panes
    bool more = false;     ///< and of later ones
    bool window = false;   ///< what remains of a window being emitted
  } cold_;

  std::optional<error> load_problem_; ///< of `mark`, told by the next step
  change_mark mark_ = 1;
  std::vector<dropped_prefix> dropped_;
  std::unique_ptr<frozen_save> save_;
  operator_counters counters_;
};

} // namespace ebb
