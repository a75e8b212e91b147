/// Conditions of WHERE on now(): until when, or from when on, a row shows. Internal to the SQL
/// front end.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"

#include <unordered_map>

namespace ebb::sql {

/// The row shows until its time + shift (exclusive), or from then on (inclusive).
struct time_condition {
  expr_ptr time; ///< over the FROM row; TIMESTAMP or TIMESTAMPTZ
  micros shift = 0;
  bool until = false;
};

/// Of a condition that reads `now_index`. Errors say what forms there are. `places`: of the
/// columns.
[[nodiscard]] result<time_condition>
time_condition_of(const sql_text& text, const expr_ptr& condition,
                  const std::unordered_map<const expr*, std::int32_t>& places);

} // namespace ebb::sql
