/// What the conditions of a join say: equal keys, equal windows, bounds between times, the rest.
/// Internal to the SQL front end.
#pragma once

#include "actors/plan/sql/node_builder.hpp"

#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace ebb::sql {

/// An equality between the sides; each over its own side's columns.
struct join_key {
  expr_ptr left, right;
  expr_ptr condition; ///< as written, over the joined row
};

/// left.time - right.time lies in [lower, upper], as far as known.
struct time_bound {
  std::optional<micros> lower, upper;
  std::vector<expr_ptr> conditions; ///< that say so, over the joined row
};

/// Conditions over the row of left columns, then right columns.
struct join_terms {
  std::vector<join_key> keys;
  /// By (left column, right column), both telling time.
  std::map<std::pair<std::uint32_t, std::uint32_t>, time_bound> bounds;
  std::vector<expr_ptr> residual;
};

[[nodiscard]] join_terms sort_terms(const std::vector<expr_ptr>& conditions,
                                    const std::vector<plan_column>& left,
                                    const std::vector<plan_column>& right);

} // namespace ebb::sql
