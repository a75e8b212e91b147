/// Writes times and intervals by a pattern, as to_char() does.
#pragma once

#include "actors/dataflow/functions/time_pattern.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::time_pattern {

/// What a pattern shows: a timestamp's or an interval's parts.
struct shown {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t micros = 0;
  std::int64_t days = 0; ///< of a timestamp: since 1970
  std::int64_t day_of_year = 0;
  bool is_interval = false;
  bool has_zone = false;
};

[[nodiscard]] shown shown_parts(micros t, bool has_zone);
[[nodiscard]] shown shown_parts(const interval_value& x);

/// Appends what the nodes of a pattern make of it. Zones are UTC.
void write(const std::vector<node>& nodes, const shown& x, std::string& out);

} // namespace ebb::time_pattern
