/// State of an interval join: both sides' rows, who is settled, what is being searched; and how it
/// is saved and loaded.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/interval_bounds.hpp"
#include "actors/dataflow/operators/interval_side.hpp"
#include "actors/dataflow/operators/row_array.hpp"
#include "actors/dataflow/operators/spread_rows.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ebb {

/// Rows that came together and still look for partners.
struct search_task {
  std::uint8_t side = 0;
  bool few = false; ///< each of `partners` is looked for among `rows`, not the other way round
  std::uint64_t below = 0; ///< partners have sequences below
  std::vector<std::uint32_t> rows;
  std::vector<std::uint32_t> partners;
  std::size_t at = 0; ///< of `partners` where few, else of `rows`
  interval_side::search place;
};

class interval_state {
public:
  struct side_state {
    side_state(std::vector<sql_type> types, std::uint32_t time,
               std::vector<std::uint32_t> key_columns, bool outer)
        : rows(std::move(types), time, !key_columns.empty()), keys(std::move(key_columns)),
          time_column(time), keeps_unmatched(outer) {}

    interval_side rows;
    std::vector<std::uint32_t> keys;
    std::uint32_t time_column;
    bool keeps_unmatched;
    // Only where unmatched rows are kept:
    /// Change number at which the row met a partner or was padded; 0 = it has not.
    row_array<change_mark> settled;
    std::vector<micros> waiting;    ///< a chunk's oldest time that may be unsettled
    row_array<std::uint16_t> homes; ///< key group that holds the row, beside a spread side
    sequence_marks marks;
  };

  interval_state(const interval_join_spec& spec, const operator_context& context);

  /// Takes note of rows just appended to a side, and of the range of their times.
  void note_rows(std::size_t side, std::span<const std::uint32_t> rows, micros oldest,
                 micros newest);
  /// Marks rows as matched or padded, where that matters.
  void settle(std::size_t side, std::span<const std::uint32_t> rows);
  /// Drops what has expired: whole chunks and whole panes.
  void drop_expired(micros watermark);

  change_mark mark();
  /// As of stream_operator. Until a save is over, no rows are dropped.
  void begin_save(change_mark since, micros watermark);
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink);
  void save(std::uint16_t key_group, change_mark since, micros watermark, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value);
  /// Builds the state of what was loaded. Called before each step; does nothing later.
  [[nodiscard]] result<void> finish_load();

  /// Forgets what saves of one state share.
  void saving_ends() noexcept {
    saved_fresh_ = false;
  }

  interval_bounds bounds;
  std::array<side_state, 2> sides;
  std::vector<search_task> tasks;
  std::size_t next_task = 0;
  micros released = min_time; ///< watermark for which `drop_expired` was done
  acted_watermark acted;      ///< before a restart

  /// Searches must end with the batch that has begun them: what partners remain is not saved.
  [[nodiscard]] bool has_spread() const noexcept {
    return spread_ >= 0;
  }

private:
  static constexpr std::uint16_t search_state = 2; ///< 0 and 1: the rows of the sides
  static constexpr std::uint16_t watermark_state = 3;

  struct saved_row {
    std::uint32_t row;
    std::uint8_t side;
  };

  // A row or a search as it was loaded; rows are built in the order of their sequences.
  struct loaded_entry {
    std::uint64_t sequence;
    std::uint8_t side;
    std::uint16_t key_group;
    std::string key;
    std::string value;
  };

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    change_mark until = 0;
    micros released = min_time;
    micros watermark = min_time;
    std::uint32_t next_group = 0; ///< owned ones, then none
    std::array<frozen_rows, 2> rows;
    std::size_t next_settled = 0; ///< of settled_log_, up to settled_end
    std::size_t settled_end = 0;
    std::array<std::uint64_t, 2> first{}; ///< sequences from here on are in `rows`
    std::uint8_t side = 0;                ///< 2 = all rows are written
  };

  void put_rows(std::uint8_t side, std::span<const std::uint32_t> rows, state_sink& sink) const;
  [[nodiscard]] bool save_settled(std::uint32_t most, state_sink& sink);
  void erase_writers(state_sink& sink) const;
  void sort_rows(change_mark since) const;
  void save_searches(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  [[nodiscard]] std::uint16_t group_of(std::size_t side, std::uint32_t row) const;
  void groups_of(std::size_t side, std::span<const std::uint32_t> rows,
                 std::vector<std::uint16_t>& groups) const;

  [[nodiscard]] bool is_spread(std::size_t side) const noexcept {
    return spread_ == static_cast<std::int32_t>(side);
  }

  // The first save after a restart puts the spread side down as ours.
  [[nodiscard]] bool rewrites(change_mark since) const noexcept {
    return restored_spread_ && since == 1;
  }

  void note_pane(micros end);
  [[nodiscard]] result<void> build_search(const loaded_entry& entry);

  std::uint16_t key_groups_;
  std::int32_t spread_;
  owned_groups own_;
  std::vector<loaded_spread_row<micros>> loaded_spread_; ///< by the end of their pane
  std::vector<std::uint16_t> writers_; ///< of what was loaded of the spread side, if we own them
  bool restored_spread_ = false;
  change_mark current_ = 1;
  std::set<micros> panes_; ///< ends of panes that hold rows
  micros last_pane_ = min_time;
  dropped_panes dropped_;
  std::vector<std::pair<change_mark, saved_row>> settled_log_;
  std::optional<frozen_save> save_;
  std::vector<loaded_entry> loaded_rows_;
  std::vector<loaded_entry> loaded_searches_;
  std::optional<error> load_failure_;
  mutable change_mark searches_saved_at_ = 0;
  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<saved_row> saved_;
  mutable group_buckets buckets_;
};

} // namespace ebb
