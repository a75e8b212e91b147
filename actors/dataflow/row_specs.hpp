/// Operators that make several rows of one, or let rows live for a while. Descriptions, as in
/// operator_spec.hpp. Rows with weights keep them.
#pragma once

#include "actors/dataflow/expr.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// A row once for each element, the element appended (`unnest`), or for each value of a series
/// (`generate_series`). Output: input columns, one column for each array or one for the series,
/// and the number of the element, from 1 (BIGINT), where `ordinality`. Stateless.
struct expand_rows_spec {
  /// Arrays side by side, shorter ones continued with NULLs; of a series from, to and step: all of
  /// INTEGER or all of BIGINT, or TIMESTAMP[TZ] with a step of INTERVAL. Over the input row.
  std::vector<expr_ptr> args;
  bool series = false;
  bool ordinality = false;
  bool keeps_empty = false; ///< a row without elements comes out once, with NULLs (LEFT JOIN)
};

/// One end of a row's life by processing time: the column's time moved by `shift` microseconds.
struct life_bound {
  std::uint32_t column = 0; ///< TIMESTAMP or TIMESTAMPTZ; a row with NULL there never shows
  micros shift = 0;

  bool operator==(const life_bound&) const = default;
};

/// Rows show from all of `from` (inclusive) until the first of `until` (exclusive) by processing
/// time, the tick before a row being its present: a row comes out when it begins to show, and is
/// deleted when it no longer does. Output: the input columns.
struct live_rows_spec {
  std::vector<life_bound> from;
  std::vector<life_bound> until;
  std::vector<std::uint32_t>
      keys;              ///< by which rows are distributed; changes of a row come in order
  bool updating = false; ///< the input is
};

} // namespace ebb
