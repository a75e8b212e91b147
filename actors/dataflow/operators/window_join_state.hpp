/// State of a windowed join: the rows of the open windows; and how it is saved and loaded.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/dataflow/operators/acted_watermark.hpp"
#include "actors/dataflow/operators/frozen_windows.hpp"
#include "actors/dataflow/operators/spread_rows.hpp"
#include "actors/dataflow/operators/state_keys.hpp"
#include "actors/dataflow/operators/window_fire.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebb {

class window_join_state {
public:
  // End, start, and 1 + probing side for windows whose join had begun when they were saved.
  struct window_name {
    micros end = 0;
    micros start = 0;
    std::uint8_t begun = 0;

    auto operator<=>(const window_name&) const = default;
  };

  static constexpr std::uint16_t watermark_state = 2; ///< 0 and 1: the rows of the sides

  /// `fire` joins the first window while it is active. All must live as long as this.
  window_join_state(const window_join_spec& spec, const operator_context& context,
                    const window_fire& fire);

  [[nodiscard]] const std::vector<std::uint32_t>& keys(std::size_t side) const noexcept {
    return side == 0 ? spec_.left_keys : spec_.right_keys;
  }

  [[nodiscard]] join_window& window_at(const window_name& name) {
    return windows_.try_emplace(name, inputs_[0], inputs_[1], current_ - 1).first->second;
  }

  [[nodiscard]] bool empty() const noexcept {
    return windows_.empty();
  }

  /// End of the window that fires next.
  [[nodiscard]] micros first_end() const noexcept {
    return windows_.begin()->first.end;
  }

  [[nodiscard]] join_window& first_window() noexcept {
    return windows_.begin()->second;
  }

  /// Drops the first window, which has been joined to its end.
  void drop_first();

  /// Says where rows just appended beside a spread side are saved.
  void note_homes(window_side& side, std::span<const std::uint32_t> rows) const;

  /// The present change number.
  [[nodiscard]] change_mark now() const noexcept {
    return current_;
  }

  [[nodiscard]] bool is_spread(std::size_t side) const noexcept {
    return spec_.spread == static_cast<std::int32_t>(side);
  }

  [[nodiscard]] std::size_t byte_size() const;

  change_mark mark();
  /// As of stream_operator.
  void begin_save(change_mark since, micros watermark);
  [[nodiscard]] bool save_slice(std::uint32_t entries, state_sink& sink);
  void save(std::uint16_t key_group, change_mark since, micros watermark, state_sink& sink) const;
  [[nodiscard]] result<void> load(std::uint16_t key_group, std::uint16_t state,
                                  std::string_view key, std::string_view value);
  /// Builds the state of what was loaded. Called before each step; does nothing later.
  [[nodiscard]] result<void> finish_load();

  /// Forgets what saves of one state share.
  void saving_ends() noexcept {
    buckets_fresh_ = false;
  }

  acted_watermark acted; ///< before a restart

private:
  using window_map = std::map<window_name, join_window>;
  using spread_row = loaded_spread_row<window_name>;

  /// A row of a window's `joinable` or `lone` list.
  struct listed_row {
    const window_map::value_type* window;
    std::uint8_t side;
    bool lone;
    std::size_t at; ///< place in its list
  };

  /// What is to be written of one window: by side, of `joinable` and of `lone`.
  struct frozen_lists {
    bool firing;
    std::array<std::array<std::size_t, 2>, 2> next;
    std::array<std::array<std::size_t, 2>, 2> end;
  };

  /// A save under way.
  struct frozen_save {
    change_mark since = 0;
    change_mark until = 0;
    micros watermark = min_time;
    std::string fired_prefix; ///< of the window that was being joined, if its entries are replaced
    fire_progress progress;   ///< of that window
    frozen_drops drops;
    frozen_windows<window_map, frozen_lists> windows;
  };

  [[nodiscard]] static std::string prefix_of(const window_name& name);
  [[nodiscard]] static const std::vector<std::uint32_t>& list_of(const listed_row& x) noexcept;

  [[nodiscard]] bool is_firing(const window_map::value_type& window) const noexcept {
    return fire_.active() && &window == &*windows_.begin();
  }

  // The first save after a restart puts the spread side down as ours.
  [[nodiscard]] bool rewrites(change_mark since) const noexcept {
    return restored_spread_ && since == 1;
  }

  [[nodiscard]] bool is_whole(const window_map::value_type& window, std::size_t side,
                              change_mark since) const;
  [[nodiscard]] std::size_t first_place(const window_map::value_type& window, std::size_t side,
                                        bool lone, change_mark since) const;
  [[nodiscard]] bool is_left(const listed_row& x, const fire_progress* fired,
                             change_mark until) const;
  [[nodiscard]] std::uint16_t group_of(const listed_row& x) const;
  void put_key(const listed_row& x, std::string& key) const;
  void put_value(const listed_row& x, const fire_progress* fired, change_mark until,
                 std::string& value) const;
  [[nodiscard]] join_window& loaded_window(const window_name& name);
  void sort_rows(change_mark since) const;
  void erase_writers(state_sink& sink) const;
  [[nodiscard]] bool erase_gone(std::uint32_t& left, state_sink& sink);
  [[nodiscard]] bool put_rows(const window_map::value_type& window, frozen_lists& lists,
                              std::uint32_t& left, state_sink& sink) const;
  [[nodiscard]] result<std::uint32_t> add_loaded(join_window& window, std::size_t side, bool passed,
                                                 std::uint64_t sequence, std::string_view value);

  const window_join_spec& spec_;
  const std::vector<std::vector<sql_type>>& inputs_;
  const window_fire& fire_; ///< of the first window
  std::uint16_t key_groups_;
  window_map windows_;
  owned_groups own_;
  std::vector<spread_row> loaded_spread_;
  std::vector<std::uint16_t> writers_; ///< of what was loaded of the spread side, if we own them
  bool restored_spread_ = false;
  std::optional<error> load_failure_;
  change_mark current_ = 1;
  dropped_panes dropped_;
  std::optional<frozen_save> save_;
  mutable bool buckets_fresh_ = false; ///< `saved_` and `buckets_` are of the present state
  mutable change_mark buckets_since_ = 0;
  mutable std::vector<listed_row> saved_;
  mutable group_buckets buckets_;
};

} // namespace ebb
