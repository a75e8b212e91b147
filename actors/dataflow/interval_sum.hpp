/// The parts of an interval while its text is read.
#pragma once

#include "actors/dataflow/time_tokens.hpp"
#include "actors/dataflow/time_unit.hpp"
#include "schemas/types.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ebb::time_input {

/// Sums the parts of an interval; every method is false on overflow.
class interval_sum {
public:
  bool add_micros(std::int64_t value, double fraction, std::int64_t scale) {
    std::int64_t product = 0;
    return !__builtin_mul_overflow(value, scale, &product)
           && !__builtin_add_overflow(micros_, product, &micros_) && add_fraction(fraction, scale);
  }

  /// A time of day replaces what was summed so far, as in PostgreSQL.
  void set_micros(std::int64_t value) {
    micros_ = value;
  }

  bool add_days(std::int64_t value, std::int32_t scale) {
    std::int32_t product = 0;
    return fits(value) && !__builtin_mul_overflow(static_cast<std::int32_t>(value), scale, &product)
           && !__builtin_add_overflow(days_, product, &days_);
  }

  bool add_months(std::int64_t value) {
    return fits(value)
           && !__builtin_add_overflow(months_, static_cast<std::int32_t>(value), &months_);
  }

  bool add_years(std::int64_t value, std::int32_t scale) {
    std::int32_t product = 0;
    return fits(value) && !__builtin_mul_overflow(static_cast<std::int32_t>(value), scale, &product)
           && !__builtin_add_overflow(years_, product, &years_);
  }

  /// A fraction of `scale` microseconds.
  bool add_fraction(double fraction, std::int64_t scale) {
    if (fraction == 0)
      return true;
    fraction *= static_cast<double>(scale);
    const auto whole = static_cast<std::int64_t>(fraction);
    if (__builtin_add_overflow(micros_, whole, &micros_))
      return false;
    fraction -= static_cast<double>(whole);
    const std::int64_t round = fraction > 0.5 ? 1 : (fraction < -0.5 ? -1 : 0);
    return !__builtin_add_overflow(micros_, round, &micros_);
  }

  /// A fraction of `scale` days: whole days, and the rest as time.
  bool add_day_fraction(double fraction, std::int32_t scale) {
    if (fraction == 0)
      return true;
    fraction *= scale;
    const auto whole = static_cast<std::int32_t>(fraction);
    return !__builtin_add_overflow(days_, whole, &days_)
           && add_fraction(fraction - whole, micros_per_day);
  }

  /// A fraction of `scale` years, rounded to months.
  bool add_year_fraction(double fraction, std::int32_t scale) {
    const auto extra = static_cast<std::int32_t>(std::rint(fraction * scale * 12));
    return !__builtin_add_overflow(months_, extra, &months_);
  }

  bool negate() {
    return !__builtin_sub_overflow(std::int64_t{0}, micros_, &micros_)
           && !__builtin_sub_overflow(0, days_, &days_)
           && !__builtin_sub_overflow(0, months_, &months_)
           && !__builtin_sub_overflow(0, years_, &years_);
  }

  [[nodiscard]] std::optional<interval_value> total() const {
    const auto months = std::int64_t{years_} * 12 + months_;
    if (!fits(months))
      return std::nullopt;
    return interval_value{micros_, days_, static_cast<std::int32_t>(months)};
  }

private:
  static bool fits(std::int64_t value) {
    return value >= INT32_MIN && value <= INT32_MAX;
  }

  std::int64_t micros_ = 0;
  std::int32_t days_ = 0;
  std::int32_t months_ = 0;
  std::int32_t years_ = 0;
};

/// `value` and `fraction` of a unit; false on overflow and for what is no length of time.
[[nodiscard]] bool add_unit(interval_sum& sum, time_unit what, std::int64_t value, double fraction);

/// ISO 8601: `P1Y2M3DT4H5M6S`, `P00010203T040506`, `P0001-02-03T04:05:06`.
[[nodiscard]] failure read_iso_interval(std::string_view text, interval_sum& sum);

} // namespace ebb::time_input
