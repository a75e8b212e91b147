/// Reads one text by a pattern of to_timestamp() or to_date(): the fields it gives.
#pragma once

#include "actors/dataflow/functions/time_pattern.hpp"

#include <string_view>
#include <vector>

namespace ebb::time_pattern {

/// Fields as the text gives them; 0 = not given.
struct given_fields {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int second_of_day = 0;
  int millisecond = 0;
  int microsecond = 0;
  int day_of_week = 0; ///< Sunday = 1
  int day = 0;
  int day_of_year = 0;
  int month = 0;
  int year = 0;
  int before_christ = 0;
  int afternoon = 0;
  int week = 0;
  int week_of_month = 0;
  int century = 0;
  int julian = 0;
  int year_digits = 0;
  int zone_sign = 0;
  int zone_hour = 0;
  int zone_minute = 0;
  int precision = 0; ///< digits of FF1 … FF6
  bool clock12 = false;
  convention calendar = convention::none;
};

/// Errors have PostgreSQL's texts: `invalid value "x" for "MM"`.
[[nodiscard]] result<given_fields> read_fields(const std::vector<node>& nodes,
                                               std::string_view text);

} // namespace ebb::time_pattern
