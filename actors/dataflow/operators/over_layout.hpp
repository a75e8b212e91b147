/// Which rows of a partition are looked at when some of it change.
#pragma once

#include "actors/dataflow/operators/ordered_partitions.hpp"
#include "actors/dataflow/operators/over_changes.hpp"
#include "actors/dataflow/operators/over_extent.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace ebb {

class over_layout {
public:
  using row_list = ordered_partitions::row_list;

  /// `order`: of all columns, `peers`: of ORDER BY alone. They and `rows` outlive it.
  over_layout(const over_extent& extent, const row_order& order, const row_order& peers,
              const row_store& rows)
      : extent_(extent), order_(order), peers_(peers), rows_(rows) {}

  /// Appends runs of the list as it is: the rows whose results the changes may touch, and those
  /// that their results are made of. Of the rows that change, which are in order, some are `there`.
  void add(const row_list& list, std::span<const placed_row> there,
           std::span<const placed_row> absent, over_rows& to);

private:
  /// Positions in the list.
  struct interval {
    std::size_t first = 0;
    std::size_t last = 0;
  };

  void add_intervals(const row_list& list, std::span<const placed_row> changed, bool there);
  [[nodiscard]] interval felt_by(const row_list& list, const placed_row& x, bool there) const;
  [[nodiscard]] interval loaded_for(const row_list& list, const interval& wanted) const;
  void add_run(const row_list& list, const interval& wanted, over_rows& to) const;

  over_extent extent_;
  const row_order& order_;
  const row_order& peers_;
  const row_store& rows_;
  std::vector<interval> intervals_;
};

} // namespace ebb
