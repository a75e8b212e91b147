/// The value of one field (`hour`, `isoyear`, …) of a date, timestamp or interval.
///
/// `scaled` is the field as NUMERIC digits, to be read with `scale_of(unit)` decimals; `real` is
/// the field as DOUBLE PRECISION, added up in PostgreSQL's order so that it rounds alike.
#pragma once

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/time_unit.hpp"

#include <cstdint>

namespace ebb::time_fields {

/// Decimals of a timestamp's or interval's field.
[[nodiscard]] constexpr std::int16_t scale_of(time_unit unit) noexcept {
  switch (unit) {
  case time_unit::millisecond:
    return 3;
  case time_unit::second:
  case time_unit::epoch:
    return 6;
  default:
    return 0;
  }
}

/// Fields that grow with time: infinite for infinite times. The others are NULL for them.
[[nodiscard]] constexpr bool is_monotonic(time_unit unit) noexcept {
  switch (unit) {
  case time_unit::year:
  case time_unit::decade:
  case time_unit::century:
  case time_unit::millennium:
  case time_unit::iso_year:
  case time_unit::julian:
  case time_unit::epoch:
    return true;
  default:
    return false;
  }
}

// There is no year 0: a year before Christ counts down, and so do its groups.

[[nodiscard]] constexpr std::int64_t shown_year(std::int64_t year) noexcept {
  return year > 0 ? year : year - 1;
}

[[nodiscard]] constexpr std::int64_t decade_of(std::int64_t year) noexcept {
  return calendar::floor_div(year, 10);
}

/// Centuries (100) and millennia (1000) begin with year 1.
[[nodiscard]] constexpr std::int64_t group_of(std::int64_t year, std::int64_t size) noexcept {
  return year > 0 ? (year + size - 1) / size : -((size - year) / size);
}

/// A field that depends on the day only. `days` since 1970.
template <time_unit Unit>
[[nodiscard]] constexpr std::int64_t of_days(std::int64_t days) noexcept {
  if constexpr (Unit == time_unit::day_of_week) {
    return calendar::day_of_week(days);
  } else if constexpr (Unit == time_unit::iso_day_of_week) {
    const auto day = calendar::day_of_week(days);
    return day == 0 ? 7 : day;
  } else if constexpr (Unit == time_unit::week) {
    return calendar::iso_week_of(days).week;
  } else if constexpr (Unit == time_unit::iso_year) {
    return shown_year(calendar::iso_week_of(days).year);
  } else if constexpr (Unit == time_unit::julian) {
    return days + calendar::unix_epoch_julian;
  } else {
    const auto date = calendar::parts_of(days);
    switch (Unit) {
    case time_unit::day:
      return date.day;
    case time_unit::month:
      return date.month;
    case time_unit::quarter:
      return (date.month - 1) / 3 + 1;
    case time_unit::year:
      return shown_year(date.year);
    case time_unit::decade:
      return decade_of(date.year);
    case time_unit::century:
      return group_of(date.year, 100);
    case time_unit::millennium:
      return group_of(date.year, 1'000);
    case time_unit::day_of_year:
      return calendar::day_of_year(days, date.year);
    default:
      return 0;
    }
  }
}

[[nodiscard]] constexpr bool is_clock_field(time_unit unit) noexcept {
  return unit >= time_unit::microsecond && unit <= time_unit::hour;
}

template <time_unit Unit>
struct of_timestamp {
  [[nodiscard]] static constexpr std::int64_t scaled(micros t) noexcept {
    switch (Unit) {
    case time_unit::microsecond:
    case time_unit::millisecond:
    case time_unit::second:
      return calendar::floor_mod(t, calendar::micros_per_minute);
    case time_unit::minute:
      return calendar::floor_mod(t, calendar::micros_per_hour) / calendar::micros_per_minute;
    case time_unit::hour:
      return calendar::floor_mod(t, micros_per_day) / calendar::micros_per_hour;
    case time_unit::epoch:
      return t;
    case time_unit::timezone:
    case time_unit::timezone_hour:
    case time_unit::timezone_minute:
      return 0; // the session's zone is UTC
    default:
      return of_days<Unit>(calendar::floor_div(t, micros_per_day));
    }
  }

  [[nodiscard]] static constexpr double real(micros t) noexcept {
    const auto value = scaled(t);
    const auto second = static_cast<double>(value / micros_per_second);
    const auto fraction = static_cast<double>(value % micros_per_second);
    switch (Unit) {
    case time_unit::millisecond:
      return second * 1e3 + fraction / 1e3;
    case time_unit::second:
      return second + fraction / 1e6;
    case time_unit::epoch:
      return static_cast<double>(value) / 1e6;
    case time_unit::julian: {
      const auto rest = calendar::floor_mod(t, micros_per_day);
      const auto seconds = static_cast<double>(rest / micros_per_second)
                           + static_cast<double>(rest % micros_per_second) / 1e6;
      return static_cast<double>(value) + seconds / 86'400.0;
    }
    default:
      return static_cast<double>(value);
    }
  }
};

template <time_unit Unit>
struct of_interval {
  [[nodiscard]] static constexpr int128 scaled(const interval_value& x) noexcept {
    switch (Unit) {
    case time_unit::microsecond:
    case time_unit::millisecond:
    case time_unit::second:
      return x.micros % calendar::micros_per_minute;
    case time_unit::minute:
      return x.micros / calendar::micros_per_minute % 60;
    case time_unit::hour:
      return x.micros / calendar::micros_per_hour;
    case time_unit::day:
      return x.days;
    case time_unit::month:
      return x.months % 12;
    case time_unit::quarter:
      return x.months % 12 / 3 + 1;
    case time_unit::year:
      return x.months / 12;
    case time_unit::decade:
      return x.months / 12 / 10;
    case time_unit::century:
      return x.months / 12 / 100;
    case time_unit::millennium:
      return x.months / 12 / 1'000;
    case time_unit::epoch: {
      // A year counts 365.25 days and a month 30; in quarters of a day all are whole.
      const auto quarters = std::int64_t{1'461} * (x.months / 12)
                            + std::int64_t{120} * (x.months % 12) + std::int64_t{4} * x.days;
      return int128{quarters} * (micros_per_day / 4) + x.micros;
    }
    default:
      return 0;
    }
  }

  [[nodiscard]] static constexpr double real(const interval_value& x) noexcept {
    switch (Unit) {
    case time_unit::millisecond:
    case time_unit::second:
      return of_timestamp_like(static_cast<std::int64_t>(scaled(x)));
    case time_unit::epoch:
      return static_cast<double>(x.micros) / 1e6 + 365.25 * 86'400.0 * (x.months / 12)
             + 30.0 * 86'400.0 * (x.months % 12) + 86'400.0 * x.days;
    default:
      return static_cast<double>(static_cast<std::int64_t>(scaled(x)));
    }
  }

private:
  static constexpr double of_timestamp_like(std::int64_t value) noexcept {
    const auto second = static_cast<double>(value / micros_per_second);
    const auto fraction = static_cast<double>(value % micros_per_second);
    return Unit == time_unit::second ? second + fraction / 1e6 : second * 1e3 + fraction / 1e3;
  }
};

/// Calls `f.template operator()<Unit>()` for the unit known only at run time.
template <class F>
auto with_unit(time_unit unit, F&& f) {
  switch (unit) {
  case time_unit::microsecond:
    return f.template operator()<time_unit::microsecond>();
  case time_unit::millisecond:
    return f.template operator()<time_unit::millisecond>();
  case time_unit::second:
    return f.template operator()<time_unit::second>();
  case time_unit::minute:
    return f.template operator()<time_unit::minute>();
  case time_unit::hour:
    return f.template operator()<time_unit::hour>();
  case time_unit::day:
    return f.template operator()<time_unit::day>();
  case time_unit::week:
    return f.template operator()<time_unit::week>();
  case time_unit::month:
    return f.template operator()<time_unit::month>();
  case time_unit::quarter:
    return f.template operator()<time_unit::quarter>();
  case time_unit::year:
    return f.template operator()<time_unit::year>();
  case time_unit::decade:
    return f.template operator()<time_unit::decade>();
  case time_unit::century:
    return f.template operator()<time_unit::century>();
  case time_unit::millennium:
    return f.template operator()<time_unit::millennium>();
  case time_unit::day_of_week:
    return f.template operator()<time_unit::day_of_week>();
  case time_unit::iso_day_of_week:
    return f.template operator()<time_unit::iso_day_of_week>();
  case time_unit::day_of_year:
    return f.template operator()<time_unit::day_of_year>();
  case time_unit::iso_year:
    return f.template operator()<time_unit::iso_year>();
  case time_unit::julian:
    return f.template operator()<time_unit::julian>();
  case time_unit::epoch:
    return f.template operator()<time_unit::epoch>();
  default:
    return f.template operator()<time_unit::timezone>();
  }
}

} // namespace ebb::time_fields
