/// State of a windowed top-N: the open windows, and how they are saved and loaded.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/erased_keys.hpp"
#include "actors/dataflow/operators/frozen_rows.hpp"
#include "actors/dataflow/operators/frozen_windows.hpp"
#include "actors/dataflow/operators/rank_cursor.hpp"
#include "actors/dataflow/operators/state_keys.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebb {

class top_n_state {
public:
  struct window_name {
    micros end = 0;
    micros start = 0;

    auto operator<=>(const window_name&) const = default;
  };

  using window_map = std::map<window_name, ranked_window>;

  top_n_state(const window_top_n_spec& spec, operator_context context);

  [[nodiscard]] ranked_window& window_at(const window_name& name);

  [[nodiscard]] bool empty() const noexcept {
    return windows_.empty();
  }

  /// End of the window that fires next.
  [[nodiscard]] micros first_end() const noexcept {
    return windows_.begin()->first.end;
  }

  /// The first window, and the cursor that emits it, started if need be.
  [[nodiscard]] const ranked_window& first_window() const noexcept {
    return windows_.begin()->second;
  }

  [[nodiscard]] rank_cursor& first_cursor();
  /// Drops the first window, which has been emitted.
  void drop_first();

  /// Rows of a window that no longer rank: notes those that a save may hold, and frees memory when
  /// most of it is theirs. Renumbers the window's rows.
  void forget(const window_name& name, ranked_window& window, std::vector<std::uint32_t>& pruned);

  [[nodiscard]] const ranking& by() const noexcept {
    return by_;
  }

  [[nodiscard]] std::size_t byte_size() const;

  change_mark mark();
  /// As of stream_operator. Until a save is over, rows keep their numbers.
  void begin_save(change_mark since, micros watermark);
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink);
  void save(std::uint16_t key_group, change_mark since, micros watermark, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value);

  /// What had been acted on before a restart.
  [[nodiscard]] const acted_watermark& acted() const noexcept {
    return acted_;
  }

  /// Forgets what saves of one state share.
  void saving_ends() noexcept {
    saved_fresh_ = false;
  }

private:
  static constexpr std::uint16_t watermark_state = 2; ///< 0: rows, 1: emitted of a partition

  struct saved_row {
    const window_map::value_type* window;
    std::uint32_t row;
  };

  /// What is to be written of one window.
  struct frozen_part {
    bool firing = false;
    // Partitions: all of a window that was being emitted, else those emitted before a restart.
    std::uint32_t next_slot = 0;
    std::uint32_t slots = 0;
    std::size_t next_place = 0; ///< in the slot, of a window that was being emitted
    frozen_rows rows;           ///< of any other window
  };

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    change_mark until = 0;
    micros watermark = min_time;
    std::string fired_prefix;        ///< of the window that was being emitted, if it is replaced
    std::uint32_t fired_slot = 0;    ///< partition of it that was being emitted
    std::uint64_t fired_emitted = 0; ///< rows of that partition
    frozen_drops drops;
    std::size_t next_erased = 0;
    std::size_t erased_end = 0;
    frozen_windows<window_map, frozen_part> windows;
  };

  [[nodiscard]] static std::string prefix_of(const window_name& name);
  [[nodiscard]] std::string key_of(const window_name& name, const row_store& rows,
                                   std::uint32_t row) const;
  [[nodiscard]] std::vector<std::uint16_t> groups_of(const row_store& rows,
                                                     std::span<const std::uint32_t> numbers) const;
  static void compact(ranked_window& window);
  void sort_rows(change_mark since) const;
  void save_progress(std::uint16_t key_group, change_mark since, state_sink& sink) const;
  [[nodiscard]] bool erase_gone(std::uint32_t& left, state_sink& sink);
  [[nodiscard]] bool put_window(const window_map::value_type& entry, frozen_part& part,
                                std::uint32_t& left, state_sink& sink) const;
  void put_rows(const window_map::value_type& entry, std::span<const std::uint32_t> numbers,
                state_sink& sink) const;
  void put_progress(const window_map::value_type& entry, std::uint32_t slot, std::uint64_t emitted,
                    state_sink& sink) const;

  [[nodiscard]] bool firing(const window_map::value_type& entry) const {
    return cursor_ && &entry == &*windows_.begin();
  }

  window_top_n_spec spec_;
  operator_context context_;
  ranking by_;
  std::vector<sql_type> key_types_;
  acted_watermark acted_;
  window_map windows_;
  std::optional<rank_cursor> cursor_; ///< of the first window, while it fires
  change_mark current_ = 1;
  dropped_panes dropped_;
  erased_keys erased_; ///< rows that no longer rank
  std::optional<frozen_save> save_;
  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<saved_row> saved_;
  mutable group_buckets buckets_;
};

} // namespace ebb
