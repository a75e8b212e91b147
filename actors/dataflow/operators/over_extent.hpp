/// How far a change of a partition is felt by the functions of an OVER clause.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// In rows; `all` where there is no bound.
struct over_extent {
  static constexpr std::int64_t all = INT64_MAX / 4;

  std::int64_t felt_before = 0;  ///< rows before a changed one whose results may change
  std::int64_t felt_after = 0;   ///< and behind it
  std::int64_t needs_before = 0; ///< rows before one that its results are made of
  std::int64_t needs_after = 0;  ///< and behind it
  bool by_peers = false;         ///< what is felt by a row is felt by its peers
};

[[nodiscard]] over_extent extent_of(const std::vector<over_call>& calls);

} // namespace ebb
