// Multiplying, dividing and justifying intervals.

#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/interval_scale.hpp"

namespace ebb::time_kernel {

namespace {

failure multiply(interval_value x, double factor, interval_value& out) noexcept {
  return multiply_interval(x, factor, out) ? ok : interval_range;
}

failure divide(interval_value x, double divisor, interval_value& out) noexcept {
  if (divisor == 0)
    return "division by zero";
  return divide_interval(x, divisor, out) ? ok : interval_range;
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
