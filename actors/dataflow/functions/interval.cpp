// Multiplying, dividing and justifying intervals.

#include "actors/dataflow/functions/time_kernel.hpp"

#include <cmath>
#include <cstdlib>

namespace ebb::time_kernel {

namespace {

constexpr double days_per_month = 30;
constexpr double seconds_per_day = 86'400;

/// Rounded to microseconds, so that what should be whole is.
double round_to_micros(double seconds) noexcept {
  return std::rint(seconds * 1e6) / 1e6;
}

bool to_int32(double x, std::int32_t& out) noexcept {
  if (std::isnan(x) || x < -0x1p31 || x >= 0x1p31)
    return false;
  out = static_cast<std::int32_t>(x);
  return true;
}

/// Each part scaled by itself; `months`, `days` and `time` are the scaled parts. Fractions of
/// months become days, fractions of days become time.
failure cascade(double months, double days, double time, interval_value& out) noexcept {
  if (!to_int32(months, out.months) || !to_int32(days, out.days))
    return interval_range;
  const auto month_days = round_to_micros((months - out.months) * days_per_month);
  const auto whole_days = static_cast<std::int32_t>(month_days);
  auto seconds = round_to_micros((days - out.days + month_days - whole_days) * seconds_per_day);
  std::int32_t extra = 0;
  if (std::abs(seconds) >= seconds_per_day) {
    extra = static_cast<std::int32_t>(seconds / seconds_per_day);
    seconds -= extra * seconds_per_day;
  }
  if (__builtin_add_overflow(out.days, extra, &out.days)
      || __builtin_add_overflow(out.days, whole_days, &out.days))
    return interval_range;
  const auto total = std::rint(time + seconds * 1e6);
  if (std::isnan(total) || total < -0x1p63 || total >= 0x1p63)
    return interval_range;
  out.micros = static_cast<std::int64_t>(total);
  return ok;
}

failure multiply(interval_value x, double factor, interval_value& out) noexcept {
  return cascade(x.months * factor, x.days * factor, static_cast<double>(x.micros) * factor, out);
}

failure divide(interval_value x, double divisor, interval_value& out) noexcept {
  if (divisor == 0)
    return "division by zero";
  return cascade(x.months / divisor, x.days / divisor, static_cast<double>(x.micros) / divisor,
                 out);
}

/// Moves `units` of the smaller part, each worth one of the larger, if that fits.
bool carry(std::int32_t& into, std::int64_t units) noexcept {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(std::int64_t{into}, units, &sum) || sum > INT32_MAX || sum < INT32_MIN)
    return false;
  into = static_cast<std::int32_t>(sum);
  return true;
}

failure justify_hours(interval_value x, interval_value& out) noexcept {
  out = x;
  const auto whole = x.micros / micros_per_day;
  out.micros -= whole * micros_per_day;
  if (!carry(out.days, whole))
    return interval_range;
  if (out.days > 0 && out.micros < 0) {
    out.micros += micros_per_day;
    --out.days;
  } else if (out.days < 0 && out.micros > 0) {
    out.micros -= micros_per_day;
    ++out.days;
  }
  return ok;
}

failure justify_days(interval_value x, interval_value& out) noexcept {
  out = x;
  const auto whole = x.days / 30;
  out.days -= whole * 30;
  if (!carry(out.months, whole))
    return interval_range;
  if (out.months > 0 && out.days < 0) {
    out.days += 30;
    --out.months;
  } else if (out.months < 0 && out.days > 0) {
    out.days -= 30;
    ++out.months;
  }
  return ok;
}

failure justify_interval(interval_value x, interval_value& out) noexcept {
  out = x;
  // Days go first where they have the sign of the time, so that the sum below cannot overflow.
  if ((x.days > 0 && x.micros > 0) || (x.days < 0 && x.micros < 0)) {
    const auto whole = out.days / 30;
    out.days -= whole * 30;
    if (!carry(out.months, whole))
      return interval_range;
  }
  const auto whole_days = out.micros / micros_per_day;
  out.micros -= whole_days * micros_per_day;
  if (!carry(out.days, whole_days))
    return interval_range;
  const auto whole_months = out.days / 30;
  out.days -= whole_months * 30;
  if (!carry(out.months, whole_months))
    return interval_range;
  if (out.months > 0 && (out.days < 0 || (out.days == 0 && out.micros < 0))) {
    out.days += 30;
    --out.months;
  } else if (out.months < 0 && (out.days > 0 || (out.days == 0 && out.micros > 0))) {
    out.days -= 30;
    ++out.months;
  }
  if (out.days > 0 && out.micros < 0) {
    out.micros += micros_per_day;
    --out.days;
  } else if (out.days < 0 && out.micros > 0) {
    out.micros -= micros_per_day;
    ++out.days;
  }
  return ok;
}

} // namespace

void register_interval(function_catalog& catalog) {
  using enum type_kind;
  using iv = interval_value;
  add(catalog,
      {"*", {interval, double_precision}, interval, binary<iv, double, iv, multiply>, true});
  add(catalog,
      {"*", {double_precision, interval}, interval, swapped<iv, double, iv, multiply>, true});
  add(catalog, {"/", {interval, double_precision}, interval, binary<iv, double, iv, divide>, true});
  add(catalog, {"justify_hours", {interval}, interval, unary<iv, iv, justify_hours>, true});
  add(catalog, {"justify_days", {interval}, interval, unary<iv, iv, justify_days>, true});
  add(catalog, {"justify_interval", {interval}, interval, unary<iv, iv, justify_interval>, true});
}

} // namespace ebb::time_kernel
