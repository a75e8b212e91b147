/// The rows of a batch by the window that they carry.
#pragma once

#include "schemas/batch.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// Splits a batch by its window columns. Reused from batch to batch.
class window_rows {
public:
  struct group {
    micros start = 0;
    micros end = 0;
    std::vector<std::uint32_t> rows; ///< ascending
  };

  /// Groups in the order of their first rows. `start_column` may be -1: then start = end.
  void split(const batch& x, std::int64_t start_column, std::uint32_t end_column);

  [[nodiscard]] std::span<const group> groups() const noexcept {
    return {groups_.data(), used_};
  }

  /// Rows whose start or end is NULL.
  [[nodiscard]] std::span<const std::uint32_t> without_window() const noexcept {
    return no_window_;
  }

  /// How lateness is asked for: once a window, where all rows have one effective watermark, or row
  /// by row.
  enum asking : std::uint8_t { whole_windows, each_row };

  /// Removes rows for which late(row, window end); returns how many.
  template <class Late>
  std::uint64_t drop_late(Late late, asking how) {
    std::uint64_t dropped = 0;
    for (std::size_t g = 0; g < used_; ++g) {
      auto& x = groups_[g];
      const auto before = x.rows.size();
      if (how == each_row)
        std::erase_if(x.rows, [&](std::uint32_t row) { return late(row, x.end); });
      else if (late(x.rows.front(), x.end))
        x.rows.clear();
      dropped += before - x.rows.size();
    }
    return dropped;
  }

private:
  group& group_of(micros start, micros end);

  std::vector<group> groups_; ///< the first `used_` are of this batch
  std::size_t used_ = 0;
  std::vector<std::uint32_t> no_window_;
};

/// Hash of a key that is one time: where state without other keys lies.
[[nodiscard]] std::uint64_t hash_of_time(micros time, const sql_type& type);

} // namespace ebb
