/// The groups of the window that fired last, kept so that the next one costs only the panes that
/// came and went, however many panes a window has.
#pragma once

#include "actors/dataflow/operators/aggregate_table.hpp"
#include "actors/dataflow/operators/window_slicer.hpp"

#include <set>

namespace ebb {

class running_window {
public:
  using table_ptr = std::unique_ptr<aggregate_table>;

  explicit running_window(const aggregate_shape& shape) : groups_(shape), shape_(shape) {}

  /// True where windows of this kind overlap enough, and the calls can take panes back where panes
  /// leave one by one.
  [[nodiscard]] static bool suits(const window_spec& window, const aggregate_shape& shape);

  /// True where the pane's rows are part of `groups()`.
  [[nodiscard]] bool covers(const pane_id& pane) const {
    return covered_.contains(pane);
  }

  /// A pane that is to be added. Its table must live until the pane leaves.
  void enter(const pane_id& pane, const aggregate_table& table);

  /// Takes and adds panes within the budget. True once `groups()` are exactly the panes that have
  /// entered and not left.
  [[nodiscard]] result<bool> advance(step_budget& budget);

  /// As `advance`, between two windows: what is done here need not be done while one fires.
  [[nodiscard]] result<void> prepare(step_budget& budget);

  /// The pane is in no later window; its table is kept until its groups are taken back.
  void leave(const pane_id& pane, table_ptr table);

  /// Adds rows that came late to a covered pane's table: `rows` are they, already merged into the
  /// pane, whose groups from slot `fresh` on are new.
  [[nodiscard]] result<void> add_late(const aggregate_table& rows, const aggregate_table& pane,
                                      std::uint32_t fresh);

  [[nodiscard]] const aggregate_table& groups() const noexcept {
    return groups_;
  }

  /// True where the slot is a group's: some pane that covers has it.
  [[nodiscard]] bool has(std::uint32_t slot) const noexcept {
    return panes_of_[slot] != 0;
  }

  /// A table that is no longer needed, or null.
  [[nodiscard]] table_ptr take_spare();

  [[nodiscard]] std::size_t byte_size() const noexcept;

private:
  void count_panes(std::span<const std::uint32_t> slots);
  void take_back(const aggregate_table& from, std::span<const std::uint32_t> theirs);
  void start_over();
  /// How many of a covered pane's groups, from the first on, are part of `groups()`.
  [[nodiscard]] std::uint32_t added(const aggregate_table& pane) const;

  aggregate_table groups_;
  const aggregate_shape& shape_;
  std::vector<std::uint32_t> panes_of_; ///< by slot: covered panes that have the group
  std::set<pane_id> covered_;
  std::vector<const aggregate_table*> entering_; ///< in their order; few
  std::vector<table_ptr> leaving_;
  std::vector<table_ptr> spare_;
  std::uint32_t next_slot_ = 0; ///< of the last one leaving, else of the first one entering
};

} // namespace ebb
