// make_date(), make_timestamp(), make_interval(), to_timestamp(double) and isfinite().

#include "actors/dataflow/functions/time_kernel.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace ebb::time_kernel {

namespace {

template <class... Args>
std::string printed(const char* format, Args... args) {
  std::array<char, 128> buffer{};
  std::snprintf(buffer.data(), buffer.size(), format, args...);
  return buffer.data();
}

/// Days of a date given as PostgreSQL's functions take it: negative years are BC, 0 is none.
bool days_of_fields(std::int64_t year, int month, int day, std::int64_t& days) noexcept {
  if (year == 0 || month < 1 || month > 12 || day < 1)
    return false;
  const auto astronomical = year < 0 ? year + 1 : year;
  if (day > calendar::days_in_month(astronomical, month))
    return false;
  days = calendar::days_of(astronomical, month, day);
  return true;
}

error bad_date(std::uint32_t row, int year, int month, int day) {
  return failed(row, printed("date field value out of range: %d-%02d-%02d", year, month, day));
}

result<column> make_date(const call_context& context, std::span<const column> args) {
  const values<std::int32_t> year(args[0]);
  const values<std::int32_t> month(args[1]);
  const values<std::int32_t> day(args[2]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    std::int64_t days = 0;
    // PostgreSQL's messages count years BC from 0 down here.
    const auto shown_year = year[i] < 0 ? year[i] + 1 : year[i];
    if (!days_of_fields(year[i], month[i], day[i], days))
      return bad_date(i, shown_year, month[i], day[i]);
    if (days < calendar::min_date || days >= calendar::end_date)
      return failed(i, printed("date out of range: %d-%02d-%02d", shown_year, month[i], day[i]));
    to[i] = static_cast<std::int32_t>(days);
  }
  return out;
}

/// As PostgreSQL's own printf shows it: with `NaN` and `Infinity`, which C spells otherwise.
std::string shown(double seconds) {
  if (std::isnan(seconds))
    return "NaN";
  if (std::isinf(seconds))
    return seconds < 0 ? "-Infinity" : "Infinity";
  return printed("%02g", seconds);
}

result<column> make_timestamp(const call_context& context, std::span<const column> args) {
  const values<std::int32_t> year(args[0]);
  const values<std::int32_t> month(args[1]);
  const values<std::int32_t> day(args[2]);
  const values<std::int32_t> hour(args[3]);
  const values<std::int32_t> minute(args[4]);
  const values<double> second(args[5]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<micros>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    std::int64_t days = 0;
    if (!days_of_fields(year[i], month[i], day[i], days))
      return bad_date(i, year[i], month[i], day[i]);
    const auto seconds = second[i];
    const auto fits = hour[i] >= 0 && hour[i] <= 24 && minute[i] >= 0 && minute[i] <= 59
                      && seconds >= 0 && seconds <= 60; // false for NaN
    const auto time = fits ? (hour[i] * std::int64_t{60} + minute[i]) * calendar::micros_per_minute
                                 + std::llrint(seconds * 1e6)
                           : 0;
    if (!fits || time > micros_per_day)
      return failed(i, printed("time field value out of range: %d:%02d:", hour[i], minute[i])
                           + shown(seconds));
    if (__builtin_mul_overflow(days, micros_per_day, &to[i])
        || __builtin_add_overflow(to[i], time, &to[i]) || !calendar::in_range(to[i]))
      return failed(i, printed("timestamp out of range: %d-%02d-%02d %d:%02d:%02g", year[i],
                               month[i], day[i], hour[i], minute[i], seconds));
  }
  return out;
}

/// Years, months, weeks, days, hours, minutes, seconds; what is not given is 0.
result<column> make_interval(const call_context& context, std::span<const column> args) {
  return each_row<interval_value>(context, [&](std::uint32_t i, interval_value& out) {
    std::array<std::int64_t, 6> part{};
    double seconds = 0;
    for (std::size_t k = 0; k < args.size(); ++k) {
      if (k < part.size())
        part[k] = args[k].data<std::int32_t>()[args[k].at(i)];
      else
        seconds = args[k].data<double>()[args[k].at(i)];
    }
    const auto months = part[0] * 12 + part[1];
    const auto days = part[2] * 7 + part[3];
    const auto micros_of_seconds = std::rint(seconds * 1e6);
    if (!(std::abs(micros_of_seconds) < 0x1p63) || months != static_cast<std::int32_t>(months)
        || days != static_cast<std::int32_t>(days)
        || __builtin_add_overflow(part[4] * calendar::micros_per_hour
                                      + part[5] * calendar::micros_per_minute,
                                  static_cast<std::int64_t>(micros_of_seconds), &out.micros))
      return interval_range;
    out.months = static_cast<std::int32_t>(months);
    out.days = static_cast<std::int32_t>(days);
    return ok;
  });
}

/// Seconds since 1970.
result<column> from_epoch(const call_context& context, std::span<const column> args) {
  const values<double> x(args[0]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<micros>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    const auto seconds = x[i];
    if (std::isnan(seconds))
      return failed(i, "timestamp cannot be NaN");
    if (std::isinf(seconds)) {
      to[i] = seconds > 0 ? max_time : min_time;
      continue;
    }
    // PostgreSQL counts from 2000 and rounds there.
    constexpr double from_1970_to_2000 = 946'684'800;
    constexpr std::int64_t shift = 946'684'800 * micros_per_second;
    const auto since_2000 = std::rint((seconds - from_1970_to_2000) * 1e6);
    std::int64_t time = 0;
    if (!(std::abs(since_2000) < 0x1p63)
        || __builtin_add_overflow(static_cast<std::int64_t>(since_2000), shift, &time)
        || !calendar::in_range(time))
      return failed(i, printed("timestamp out of range: \"%g\"", seconds));
    to[i] = time;
  }
  return out;
}

failure finite_time(micros t, std::uint8_t& out) noexcept {
  out = calendar::is_finite(t) ? 1 : 0;
  return ok;
}

failure finite_date(std::int32_t d, std::uint8_t& out) noexcept {
  out = calendar::is_finite_date(d) ? 1 : 0;
  return ok;
}

failure finite_interval(interval_value /*x*/, std::uint8_t& out) noexcept {
  out = 1;
  return ok;
}

result<std::shared_ptr<const bound_call>> refuse_age(std::span<const expr_ptr> /*args*/) {
  return make_error(ec::unsupported, "function age is not supported",
                    "subtract the timestamps: a - b gives days and time");
}

result<column> no_age(const call_context& context, std::span<const column> /*args*/) {
  return make_null_column(context.type, context.rows);
}

} // namespace

void register_time_make(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"make_date", {integer, integer, integer}, date, make_date, true});
  for (const auto& [name, kind] :
       {std::pair{"make_timestamp", timestamp}, std::pair{"make_timestamptz", timestamptz}})
    add(catalog, {name,
                  {integer, integer, integer, integer, integer, double_precision},
                  kind,
                  make_timestamp,
                  true});
  scalar_function interval_of;
  interval_of.name = "make_interval";
  interval_of.returns = sql_type{interval};
  interval_of.run = make_interval;
  interval_of.may_fail = true;
  for (int given = 1; given <= 7; ++given) {
    interval_of.params.push_back(sql_type{given < 7 ? integer : double_precision});
    catalog.add(interval_of);
  }
  add(catalog, {"to_timestamp", {double_precision}, timestamptz, from_epoch, true});
  add(catalog, {"isfinite", {date}, boolean, unary<std::int32_t, std::uint8_t, finite_date>});
  add(catalog, {"isfinite", {timestamp}, boolean, unary<micros, std::uint8_t, finite_time>});
  add(catalog, {"isfinite", {timestamptz}, boolean, unary<micros, std::uint8_t, finite_time>});
  add(catalog,
      {"isfinite", {interval}, boolean, unary<interval_value, std::uint8_t, finite_interval>});
  for (const auto kind : {timestamp, timestamptz}) {
    add(catalog, {"age", {kind, kind}, interval, no_age, false, refuse_age});
    add(catalog, {"age", {kind}, interval, no_age, false, refuse_age});
  }
}

} // namespace ebb::time_kernel
