/// Intervals multiplied and divided as PostgreSQL does it: a fraction of a month becomes days, a
/// fraction of a day time.
#pragma once

#include "schemas/types.hpp"

#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace ebb {

/// `months`, `days` and `time` (microseconds) are the parts of an interval, each scaled by itself.
/// False where the result is out of range.
[[nodiscard]] inline bool assemble_interval(double months, double days, double time,
                                            interval_value& out) noexcept {
  constexpr double days_per_month = 30;
  constexpr double seconds_per_day = 86'400;
  const auto to_int32 = [](double x, std::int32_t& to) {
    if (std::isnan(x) || x < -0x1p31 || x >= 0x1p31)
      return false;
    to = static_cast<std::int32_t>(x);
    return true;
  };
  // To microseconds, so that what should be whole is.
  const auto rounded = [](double seconds) { return std::rint(seconds * 1e6) / 1e6; };
  if (!to_int32(months, out.months) || !to_int32(days, out.days))
    return false;
  const auto month_days = rounded((months - out.months) * days_per_month);
  const auto whole_days = static_cast<std::int32_t>(month_days);
  auto seconds = rounded((days - out.days + month_days - whole_days) * seconds_per_day);
  std::int32_t extra = 0;
  // Rounding may have made the fraction a whole day.
  if (std::abs(seconds) >= seconds_per_day) {
    extra = static_cast<std::int32_t>(seconds / seconds_per_day);
    seconds -= extra * seconds_per_day;
  }
  if (__builtin_add_overflow(out.days, extra, &out.days)
      || __builtin_add_overflow(out.days, whole_days, &out.days))
    return false;
  const auto total = std::rint(time + seconds * 1e6);
  if (std::isnan(total) || total < -0x1p63 || total >= 0x1p63)
    return false;
  out.micros = static_cast<std::int64_t>(total);
  return true;
}

[[nodiscard]] inline bool multiply_interval(const interval_value& x, double factor,
                                            interval_value& out) noexcept {
  return assemble_interval(x.months * factor, x.days * factor,
                           static_cast<double>(x.micros) * factor, out);
}

/// `divisor` is not 0.
[[nodiscard]] inline bool divide_interval(const interval_value& x, double divisor,
                                          interval_value& out) noexcept {
  return assemble_interval(x.months / divisor, x.days / divisor,
                           static_cast<double>(x.micros) / divisor, out);
}

} // namespace ebb
