#include "actors/dataflow/functions/interval_date.hpp"

namespace ebb::time_kernel {

namespace {

std::int32_t add(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

std::int32_t subtract(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}

std::int32_t multiply(std::int32_t a, std::int32_t b) noexcept {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(b));
}

/// Julian day of the Monday that begins the ISO year: of the week with January 4th.
std::int32_t first_monday(std::int32_t year) noexcept {
  const auto fourth = julian_day({year, 1, 4});
  const auto weekday = fourth % 7; // Monday = 0
  return subtract(fourth, weekday < 0 ? weekday + 7 : weekday);
}

} // namespace

std::int32_t julian_day(const interval_date& x) noexcept {
  // The year begins in March; division cuts off, also below zero.
  const bool late = x.month > 2;
  const auto month = x.month + (late ? 1 : 13);
  const auto year = add(x.year, late ? 4'800 : 4'799);
  const auto century = year / 100;
  const auto leap_days = add(subtract(year / 4, century), century / 4);
  const auto days = add(subtract(multiply(year, 365), 32'167), leap_days);
  return add(days, add(7'834 * month / 256, x.day));
}

interval_week iso_week(const interval_date& x) noexcept {
  const auto day = julian_day(x);
  interval_week out{x.year, 0, 0};
  auto monday = first_monday(out.year);
  if (day < monday)
    monday = first_monday(--out.year);
  out.week = subtract(day, monday) / 7 + 1;
  if (out.week >= 52) {
    // The last days of a year may belong to the next year's first week.
    const auto next = first_monday(add(x.year, 1));
    if (day >= next) {
      monday = next;
      out.week = subtract(day, monday) / 7 + 1;
      out.year = add(out.year, 1);
    }
  }
  out.day_of_year = add(subtract(day, first_monday(out.year)), 1);
  return out;
}

} // namespace ebb::time_kernel
