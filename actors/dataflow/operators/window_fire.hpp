/// One window of a windowed join, and the resumable join of its rows.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/join_pairs.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/row_store.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace ebb {

/// Left rows are side 0, right rows side 1.
[[nodiscard]] constexpr bool keeps_unmatched(join_type type, std::size_t side) noexcept {
  return type == join_type::full || (side == 0 && type == join_type::left)
         || (side == 1 && type == join_type::right);
}

/// The rows of one side of one window.
struct window_side {
  explicit window_side(std::vector<sql_type> types) : rows(std::move(types)) {}

  row_store rows;
  std::vector<std::uint32_t> joinable; ///< rows in the order of arrival
  std::vector<std::uint64_t> hashes;   ///< of the keys of `joinable`; empty without keys
  std::vector<std::uint32_t> lone;     ///< rows with a NULL key, where the join keeps them
  /// Change number at which the row met a partner; 0 = it has not. Where unmatched rows are kept,
  /// while the window fires.
  row_array<change_mark> matched;
  row_array<std::uint16_t> homes; ///< key group that holds the row, beside a spread side
  sequence_marks marks;

  /// The row had met a partner until then.
  [[nodiscard]] bool was_matched(std::uint32_t row, change_mark until) const noexcept {
    return matched.has(rows, row) && matched.at(rows, row) != 0 && matched.at(rows, row) <= until;
  }
};

/// One window that has not been joined to its end.
struct join_window {
  join_window(const std::vector<sql_type>& left, const std::vector<sql_type>& right,
              change_mark marks_before)
      : sides{window_side(left), window_side(right)}, base(marks_before) {}

  [[nodiscard]] std::uint64_t first_after(std::size_t side, change_mark since) const noexcept {
    return since <= base ? 0 : sides[side].marks.first_after(since - base);
  }

  std::array<window_side, 2> sides;
  change_mark base; ///< marks made before the window was
  // Progress of a join that had begun when the state was saved: the probing side, and rows of it
  // that had met some partners.
  std::optional<std::uint8_t> probing;
  std::vector<std::pair<std::uint32_t, std::uint64_t>> partial;

  [[nodiscard]] std::uint64_t met_before(std::uint32_t row) const noexcept {
    for (const auto& [started, met] : partial)
      if (started == row)
        return met;
    return 0;
  }
};

/// How far the join of one window has come; copied, how far it had come.
class fire_progress {
public:
  /// How many of a side's `joinable` or `lone` list, which has `count`, are done: the first ones.
  [[nodiscard]] std::size_t done(std::size_t side, bool lone, std::size_t count) const noexcept;

  /// The joinable row number `place` of the side that is not probing has met all its partners.
  /// Known where the probing side is spread, which then has one row.
  [[nodiscard]] bool passed(std::size_t place) const noexcept {
    return probing_ == spread_
           && (phase_ > phase::probe || (phase_ == phase::probe && resumed_ && place < met_));
  }

  [[nodiscard]] std::uint8_t probing() const noexcept {
    return probing_;
  }

  /// Whether the probing row number `place` is the one being joined, and the partners it has met.
  [[nodiscard]] bool is_current(std::size_t place) const noexcept {
    return phase_ == phase::probe && resumed_ && place == at_;
  }

  [[nodiscard]] std::uint64_t met() const noexcept {
    return met_;
  }

protected:
  enum class phase : std::uint8_t { build, probe, unmatched, left_lone, right_lone };

  phase phase_ = phase::build;
  std::uint8_t probing_ = 0;
  bool resumed_ = false;     ///< the row at `at_` has begun
  std::int32_t spread_ = -1; ///< side
  std::size_t at_ = 0;       ///< place in the list of the phase
  std::uint64_t met_ = 0;    ///< partners that the probing row at `at_` has met
};

/// Joins one window: every row of the probing side meets its partners of the other side, in order;
/// then what is left unmatched is padded. Between two steps, the rows that are done are known, so
/// that a snapshot holds only the rest.
class window_fire : public fire_progress {
public:
  window_fire(const window_join_spec& spec, join_pairs& pairs) : spec_(spec), pairs_(pairs) {
    spread_ = spec.spread;
  }

  void start(join_window& window);

  /// Works within the budget; returns true when the window is done. Matches are noted with the
  /// change number `now`.
  [[nodiscard]] result<bool> step(step_budget& budget, change_mark now, output& out,
                                  std::uint64_t& rows_out);

  [[nodiscard]] bool active() const noexcept {
    return window_ != nullptr;
  }

private:
  void build(step_budget& budget);
  [[nodiscard]] result<void> probe_keys(step_budget& budget, output& out);
  [[nodiscard]] result<void> probe_all(step_budget& budget, output& out);
  [[nodiscard]] result<void> flush(output& out);
  [[nodiscard]] bool emit_rest(step_budget& budget, output& out);
  void emit_lone(std::size_t side, const std::vector<std::uint32_t>& rows, output& out);
  void finish_row(std::uint32_t row);

  const window_join_spec& spec_;
  join_pairs& pairs_;
  join_window* window_ = nullptr;
  change_mark now_ = 0;
  std::uint32_t next_ = 0; ///< where the probing row's chain goes on: place in `joinable` + 1
  std::vector<std::uint32_t> heads_; ///< first place + 1 by hash; 0 = none
  std::vector<std::uint32_t> links_; ///< the next place + 1 of the same bucket
  row_pairs found_;
  std::vector<std::uint32_t> finished_; ///< probing rows whose last partner is in `found_`
  std::vector<std::uint32_t> places_;
  std::uint64_t rows_out_ = 0;
};

} // namespace ebb
