/// State of a windowed top-N: the open windows, and how they are saved and loaded.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
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
  // A row that was saved and no longer ranks.
  struct erased_row {
    change_mark at;
    std::uint16_t group;
    std::string key;
  };

  struct saved_row {
    const window_map::value_type* window;
    std::uint32_t row;
  };

  [[nodiscard]] std::string key_of(const window_name& name, const row_store& rows,
                                   std::uint32_t row) const;
  [[nodiscard]] std::vector<std::uint16_t> groups_of(const row_store& rows,
                                                     std::span<const std::uint32_t> numbers) const;
  static void compact(ranked_window& window);
  void sort_rows(change_mark since) const;
  void save_progress(std::uint16_t key_group, change_mark since, state_sink& sink) const;

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
  std::vector<erased_row> erased_;
  mutable bool saved_fresh_ = false;
  mutable change_mark saved_since_ = 0;
  mutable std::vector<saved_row> saved_;
  mutable group_buckets buckets_;
};

} // namespace ebb
