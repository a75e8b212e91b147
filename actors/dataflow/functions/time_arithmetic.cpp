// + and - among dates, timestamps and intervals.

#include "actors/dataflow/functions/time_kernel.hpp"

#include <algorithm>

namespace ebb {

namespace time_kernel {

failure add_interval(micros t, const interval_value& x, micros& out) noexcept {
  out = t;
  if (!calendar::is_finite(t))
    return ok;
  if (x.months != 0) {
    const auto days = calendar::floor_div(t, micros_per_day);
    const auto date = calendar::parts_of(days);
    const auto months = date.year * 12 + date.month - 1 + x.months;
    const auto year = calendar::floor_div(months, 12);
    const auto month = static_cast<int>(calendar::floor_mod(months, 12)) + 1;
    // The 31st of a shorter month is its last day.
    const auto day = std::min(date.day, calendar::days_in_month(year, month));
    const auto moved = calendar::days_of(year, month, day);
    if (__builtin_mul_overflow(moved, micros_per_day, &out)
        || __builtin_add_overflow(out, t - days * micros_per_day, &out) || !calendar::in_range(out))
      return timestamp_range;
  }
  std::int64_t days = 0;
  if (x.days != 0
      && (__builtin_mul_overflow(std::int64_t{x.days}, micros_per_day, &days)
          || __builtin_add_overflow(out, days, &out) || !calendar::in_range(out)))
    return timestamp_range;
  if (__builtin_add_overflow(out, x.micros, &out) || !calendar::in_range(out))
    return timestamp_range;
  return ok;
}

namespace {

/// -x, where the smallest values have no opposite.
failure negate(const interval_value& x, interval_value& out) noexcept {
  if (__builtin_sub_overflow(std::int64_t{0}, x.micros, &out.micros)
      || __builtin_sub_overflow(0, x.days, &out.days)
      || __builtin_sub_overflow(0, x.months, &out.months))
    return interval_range;
  return ok;
}

failure subtract_interval(micros t, interval_value x, micros& out) noexcept {
  interval_value opposite;
  out = t;
  if (!calendar::is_finite(t))
    return ok;
  if (negate(x, opposite) != ok)
    return timestamp_range;
  return add_interval(t, opposite, out);
}

failure add_to_timestamp(micros t, interval_value x, micros& out) noexcept {
  return add_interval(t, x, out);
}

failure date_to_micros(std::int32_t date, micros& out) noexcept {
  if (!calendar::is_finite_date(date)) {
    out = date == calendar::date_infinity ? max_time : min_time;
    return ok;
  }
  if (__builtin_mul_overflow(std::int64_t{date}, micros_per_day, &out))
    return "date out of range for timestamp";
  return ok;
}

failure add_to_date(std::int32_t date, interval_value x, micros& out) noexcept {
  micros t = 0;
  if (const auto problem = date_to_micros(date, t); problem != ok)
    return problem;
  return add_interval(t, x, out);
}

failure subtract_from_date(std::int32_t date, interval_value x, micros& out) noexcept {
  micros t = 0;
  if (const auto problem = date_to_micros(date, t); problem != ok)
    return problem;
  return subtract_interval(t, x, out);
}

failure between(micros a, micros b, interval_value& out) noexcept {
  if (!calendar::is_finite(a) || !calendar::is_finite(b))
    return "cannot subtract infinite timestamps";
  std::int64_t total = 0;
  if (__builtin_sub_overflow(a, b, &total))
    return interval_range;
  out.months = 0;
  out.days = static_cast<std::int32_t>(total / micros_per_day);
  out.micros = total % micros_per_day;
  return ok;
}

failure days_between(std::int32_t a, std::int32_t b, std::int32_t& out) noexcept {
  if (!calendar::is_finite_date(a) || !calendar::is_finite_date(b))
    return "cannot subtract infinite dates";
  // Finite dates are 2,147,483,494 days apart at most.
  out = a - b;
  return ok;
}

failure move_date(std::int32_t date, std::int64_t days, std::int32_t& out) noexcept {
  out = date;
  if (!calendar::is_finite_date(date))
    return ok;
  const auto moved = date + days;
  if (moved < calendar::min_date || moved >= calendar::end_date)
    return date_range;
  out = static_cast<std::int32_t>(moved);
  return ok;
}

failure add_days(std::int32_t date, std::int32_t days, std::int32_t& out) noexcept {
  return move_date(date, days, out);
}

failure subtract_days(std::int32_t date, std::int32_t days, std::int32_t& out) noexcept {
  return move_date(date, -std::int64_t{days}, out);
}

failure add_intervals(interval_value a, interval_value b, interval_value& out) noexcept {
  if (__builtin_add_overflow(a.micros, b.micros, &out.micros)
      || __builtin_add_overflow(a.days, b.days, &out.days)
      || __builtin_add_overflow(a.months, b.months, &out.months))
    return interval_range;
  return ok;
}

failure subtract_intervals(interval_value a, interval_value b, interval_value& out) noexcept {
  if (__builtin_sub_overflow(a.micros, b.micros, &out.micros)
      || __builtin_sub_overflow(a.days, b.days, &out.days)
      || __builtin_sub_overflow(a.months, b.months, &out.months))
    return interval_range;
  return ok;
}

failure negate_interval(interval_value x, interval_value& out) noexcept {
  return negate(x, out);
}

} // namespace

void register_time_arithmetic(function_catalog& catalog) {
  using enum type_kind;
  using iv = interval_value;
  for (const auto kind : {timestamp, timestamptz}) {
    add(catalog, {"+", {kind, interval}, kind, binary<micros, iv, micros, add_to_timestamp>, true});
    add(catalog,
        {"+", {interval, kind}, kind, swapped<micros, iv, micros, add_to_timestamp>, true});
    add(catalog,
        {"-", {kind, interval}, kind, binary<micros, iv, micros, subtract_interval>, true});
    add(catalog, {"-", {kind, kind}, interval, binary<micros, micros, iv, between>, true});
  }
  using days = std::int32_t;
  add(catalog, {"+", {date, interval}, timestamp, binary<days, iv, micros, add_to_date>, true});
  add(catalog, {"+", {interval, date}, timestamp, swapped<days, iv, micros, add_to_date>, true});
  add(catalog,
      {"-", {date, interval}, timestamp, binary<days, iv, micros, subtract_from_date>, true});
  add(catalog, {"+", {date, integer}, date, binary<days, days, days, add_days>, true});
  add(catalog, {"+", {integer, date}, date, swapped<days, days, days, add_days>, true});
  add(catalog, {"-", {date, integer}, date, binary<days, days, days, subtract_days>, true});
  add(catalog, {"-", {date, date}, integer, binary<days, days, days, days_between>, true});
  add(catalog, {"+", {interval, interval}, interval, binary<iv, iv, iv, add_intervals>, true});
  add(catalog, {"-", {interval, interval}, interval, binary<iv, iv, iv, subtract_intervals>, true});
  add(catalog, {"-", {interval}, interval, unary<iv, iv, negate_interval>, true});
}

} // namespace time_kernel

} // namespace ebb
