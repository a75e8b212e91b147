/// Calendar arithmetic for kernels: inline, no errors, no allocation. Proleptic Gregorian calendar;
/// year 0 is 1 BC. Days count from 1970-01-01.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>

namespace ebb::calendar {

inline constexpr std::int64_t micros_per_minute = 60 * micros_per_second;
inline constexpr std::int64_t micros_per_hour = 60 * micros_per_minute;

/// Julian day of 1970-01-01.
inline constexpr std::int64_t unix_epoch_julian = 2'440'588;

/// First and one past the last DATE: 4714-11-24 BC (Julian day 0) and 5874898-01-01.
inline constexpr std::int64_t min_date = -unix_epoch_julian;
inline constexpr std::int64_t end_date = 2'147'483'494 - unix_epoch_julian;

/// Smallest and largest finite TIMESTAMP. PostgreSQL counts from 2000 and so ends 29 years later
/// (294276 AD); what lies between is `timestamp out of range` here.
inline constexpr micros min_timestamp = min_date * micros_per_day;
inline constexpr micros max_timestamp = max_time - 1;

/// DATE values that stand for -infinity and infinity.
inline constexpr std::int32_t date_minus_infinity = INT32_MIN;
inline constexpr std::int32_t date_infinity = INT32_MAX;

[[nodiscard]] constexpr bool is_finite(micros t) noexcept {
  return t != min_time && t != max_time;
}

[[nodiscard]] constexpr bool is_finite_date(std::int32_t d) noexcept {
  return d != date_minus_infinity && d != date_infinity;
}

/// Finite and within the range of TIMESTAMP.
[[nodiscard]] constexpr bool in_range(micros t) noexcept {
  return t >= min_timestamp && t <= max_timestamp;
}

[[nodiscard]] constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept {
  const auto q = a / b;
  return q - ((a % b != 0) && ((a < 0) != (b < 0)) ? 1 : 0);
}

[[nodiscard]] constexpr std::int64_t floor_mod(std::int64_t a, std::int64_t b) noexcept {
  // Not a - floor_div(a, b) * b: that product may not fit.
  const auto rest = a % b;
  return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
}

[[nodiscard]] constexpr bool is_leap(std::int64_t year) noexcept {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

[[nodiscard]] constexpr int days_in_month(std::int64_t year, int month) noexcept {
  constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : lengths[month - 1];
}

/// Days since 1970-01-01; any year of the ranges above, month 1..12, any day.
[[nodiscard]] constexpr std::int64_t days_of(std::int64_t year, int month, int day) noexcept {
  // The year starts in March, so that the leap day is the last one; 400 years are one era.
  const auto y = month <= 2 ? year - 1 : year;
  const auto era = floor_div(y, 400);
  const auto year_of_era = y - era * 400;
  const auto month_from_march = month > 2 ? month - 3 : month + 9;
  const auto day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
  const auto day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct date_parts {
  std::int64_t year = 1970;
  int month = 1;
  int day = 1;
};

[[nodiscard]] constexpr date_parts parts_of(std::int64_t days) noexcept {
  const auto shifted = days + 719'468;
  const auto era = floor_div(shifted, 146'097);
  const auto day_of_era = static_cast<std::uint32_t>(shifted - era * 146'097);
  const auto year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const auto day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto month_from_march = (5 * day_of_year + 2) / 153;
  date_parts out;
  out.day = static_cast<int>(day_of_year - (153 * month_from_march + 2) / 5 + 1);
  out.month = static_cast<int>(month_from_march < 10 ? month_from_march + 3 : month_from_march - 9);
  out.year = static_cast<std::int64_t>(year_of_era) + era * 400 + (out.month <= 2 ? 1 : 0);
  return out;
}

/// 0 = Sunday … 6 = Saturday.
[[nodiscard]] constexpr int day_of_week(std::int64_t days) noexcept {
  return static_cast<int>(floor_mod(days + 4, 7));
}

/// 1-based.
[[nodiscard]] constexpr int day_of_year(std::int64_t days, std::int64_t year) noexcept {
  return static_cast<int>(days - days_of(year, 1, 1)) + 1;
}

struct iso_week {
  std::int64_t year = 1970;
  int week = 1;
};

/// Days of the Monday that begins ISO week 1 of `year`: the week with January 4th.
[[nodiscard]] constexpr std::int64_t iso_year_start(std::int64_t year) noexcept {
  const auto fourth = days_of(year, 1, 4);
  return fourth - floor_mod(fourth + 3, 7);
}

[[nodiscard]] constexpr iso_week iso_week_of(std::int64_t days) noexcept {
  // The week belongs to the year of its Thursday.
  const auto thursday = days - floor_mod(days + 3, 7) + 3;
  const auto year = parts_of(thursday).year;
  return {year, static_cast<int>((thursday - iso_year_start(year)) / 7) + 1};
}

} // namespace ebb::calendar
