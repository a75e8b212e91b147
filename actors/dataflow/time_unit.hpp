/// Names of the parts of times: `hour`, `mons`, `epoch`, `isodow`, as PostgreSQL knows them.
#pragma once

#include <cstdint>
#include <string_view>

namespace ebb {

enum class time_unit : std::uint8_t {
  none,
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
  decade,
  century,
  millennium,
  timezone,
  timezone_hour,
  timezone_minute,
  ago, ///< no unit: the word after an interval
  // Only of extract() and date_part():
  day_of_week,
  iso_day_of_week,
  day_of_year,
  iso_year,
  julian,
  epoch,
};

/// A unit as interval input and date_trunc() know it; lower case. `none` when there is no such one.
/// Only the first ten characters count, as in PostgreSQL.
[[nodiscard]] time_unit unit_of_name(std::string_view lower_case_name) noexcept;

/// The same and what extract() knows besides: `dow`, `epoch`, `julian` …
[[nodiscard]] time_unit field_of_name(std::string_view lower_case_name) noexcept;

} // namespace ebb
