/// What becomes of the results of an OVER clause when rows of its partitions change: results before
/// and after, and what of them differs.
#pragma once

#include "actors/dataflow/operators/changelog_partitions.hpp"
#include "actors/dataflow/operators/over_calls.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ebb {

/// Rows of some partitions at one time, and their results.
struct over_rows {
  /// Places of a run whose results may have changed: first .. last.
  struct span {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    bool cut = false; ///< the partition has rows beyond the run's
  };

  over_block block;
  std::vector<std::uint64_t> prefixes; ///< by place
  std::vector<span> wanted;            ///< by run
  std::vector<column> results;         ///< by call, by place

  void clear();
};

/// A row whose results are taken back, and one that takes its place: places before and after.
struct over_change {
  static constexpr std::uint32_t none = UINT32_MAX;

  std::uint32_t before = none;
  std::uint32_t after = none;
};

/// Finds the changes between two states of the same partitions.
class over_changes {
public:
  /// Rows that `order` does not tell apart are equal in all columns.
  over_changes(const row_order& order, const row_store& rows) : order_(order), rows_(rows) {}

  void clear() {
    changes_.clear();
    kept_.clear();
  }

  /// Compares runs of one partition, from `before_run` and `after_run` on. `gone` are no longer
  /// there, `fresh` are new; both in order.
  void compare(const over_rows& before, std::size_t before_run, const over_rows& after,
               std::size_t after_run, std::span<const placed_row> gone,
               std::span<const placed_row> fresh);

  /// All that was compared: rows that went and came first, so many of them; then those that have
  /// other results now. No change takes another back.
  [[nodiscard]] std::vector<over_change> finish(const over_rows& before, const over_rows& after,
                                                std::size_t& direct);

private:
  struct repeated_row {
    std::uint64_t prefix = 0;
    std::uint64_t results = 0; ///< hash
    std::uint32_t row = 0;
    std::uint32_t change = 0;
    bool inserted = false;
  };

  [[nodiscard]] bool may_repeat(const over_rows& x, std::size_t run, std::uint32_t place) const;
  void mark_repeated(const over_rows& x, bool inserted, std::vector<std::uint8_t>& marked) const;
  void add_repeated(const over_rows& x, bool inserted, const std::vector<std::uint8_t>& marked,
                    std::vector<repeated_row>& to) const;
  void cancel(const over_rows& before, const over_rows& after);

  const row_order& order_;
  const row_store& rows_;
  std::vector<over_change> changes_; ///< rows that went and came
  std::vector<over_change> kept_;    ///< rows that stay
};

} // namespace ebb
