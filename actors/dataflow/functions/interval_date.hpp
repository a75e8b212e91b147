/// An interval's years, months and days taken for a date, as to_char() shows them in J, IW, IYYY
/// and IDDD. There is no such date where the months are 0 or negative: the counts follow
/// PostgreSQL's formula, in 32 bits that wrap.
#pragma once

#include <cstdint>

namespace ebb::time_kernel {

struct interval_date {
  std::int32_t year = 0;
  std::int32_t month = 0; ///< -11 to 11
  std::int32_t day = 0;
};

[[nodiscard]] std::int32_t julian_day(const interval_date& x) noexcept;

struct interval_week {
  std::int32_t year = 0;
  std::int32_t week = 0;
  std::int32_t day_of_year = 0; ///< from the Monday of the year's first week, which is 1
};

[[nodiscard]] interval_week iso_week(const interval_date& x) noexcept;

} // namespace ebb::time_kernel
