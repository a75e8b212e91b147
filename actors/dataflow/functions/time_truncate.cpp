// date_trunc() and date_bin().

#include "actors/dataflow/functions/time_fields.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>

namespace ebb::time_kernel {

namespace {

struct bound_unit final : bound_call {
  bound_unit(time_unit x, std::int64_t offset) : unit(x), zone(offset) {}

  time_unit unit;
  std::int64_t zone; ///< microseconds east of UTC
};

bool truncates_to(type_kind kind, time_unit unit) {
  return unit >= time_unit::microsecond && unit <= time_unit::millennium
         && (unit != time_unit::week || kind != type_kind::interval);
}

result<time_unit> resolve_unit(const std::string& name, const sql_type& type) {
  const auto unit = unit_of_name(name);
  if (unit == time_unit::none)
    return make_error(ec::invalid_argument,
                      "unit \"" + name + "\" not recognized for type " + to_string(type),
                      "units are microseconds … hour, day, week, month, quarter, year, decade, "
                      "century, millennium");
  if (!truncates_to(type.kind, unit))
    return make_error(ec::invalid_argument,
                      "unit \"" + name + "\" not supported for type " + to_string(type),
                      unit == time_unit::week ? "months usually have fractional weeks" : "");
  return unit;
}

result<std::shared_ptr<const bound_call>> bind_unit(std::span<const expr_ptr> args) {
  std::int64_t zone = 0;
  if (args.size() == 3) {
    const auto name = constant_text(args[2]);
    if (!name)
      return make_error(ec::unsupported, "the time zone of date_trunc must be a constant");
    const auto offset = zone_offset(*name);
    if (!offset)
      return unknown_zone(*name);
    zone = *offset * micros_per_second;
  }
  const auto name = constant_text(args[0]);
  if (!name) {
    if (args[0]->kind == expr_kind::literal)
      return std::shared_ptr<const bound_call>();
    return make_error(ec::unsupported, "the unit of date_trunc must be a constant",
                      "write it as a literal, or choose among several with CASE");
  }
  EBB_ASSIGN(const auto unit, resolve_unit(*name, args[1]->type));
  return std::shared_ptr<const bound_call>(std::make_shared<bound_unit>(unit, zone));
}

/// First day of the year that begins the decade, century or millennium of `year`.
template <time_unit Unit>
constexpr std::int64_t group_start(std::int64_t year) noexcept {
  switch (Unit) {
  case time_unit::decade:
    return calendar::floor_div(year, 10) * 10;
  case time_unit::century:
    return calendar::floor_div(year - 1, 100) * 100 + 1;
  case time_unit::millennium:
    return calendar::floor_div(year - 1, 1'000) * 1'000 + 1;
  default:
    return year;
  }
}

template <time_unit Unit>
constexpr std::int64_t truncate_days(std::int64_t days) noexcept {
  if constexpr (Unit == time_unit::week) {
    return days - calendar::floor_mod(days + 3, 7);
  } else if constexpr (Unit == time_unit::month) {
    return days - (calendar::parts_of(days).day - 1);
  } else {
    const auto date = calendar::parts_of(days);
    if (Unit == time_unit::quarter)
      return calendar::days_of(date.year, (date.month - 1) / 3 * 3 + 1, 1);
    return calendar::days_of(group_start<Unit>(date.year), 1, 1);
  }
}

constexpr std::int64_t length_of(time_unit unit) noexcept {
  switch (unit) {
  case time_unit::millisecond:
    return 1'000;
  case time_unit::second:
    return micros_per_second;
  case time_unit::minute:
    return calendar::micros_per_minute;
  case time_unit::hour:
    return calendar::micros_per_hour;
  case time_unit::day:
    return micros_per_day;
  default:
    return 1;
  }
}

template <time_unit Unit>
constexpr micros truncate(micros t) noexcept {
  if constexpr (Unit <= time_unit::day)
    return calendar::floor_div(t, length_of(Unit)) * length_of(Unit);
  else
    return truncate_days<Unit>(calendar::floor_div(t, micros_per_day)) * micros_per_day;
}

template <time_unit Unit>
result<column> truncate_column(const call_context& context, const values<micros>& x,
                               std::int64_t zone) {
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<micros>();
  bool in_range = true;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    const auto t = x[i];
    const auto finite = calendar::is_finite(t);
    micros moved = 0;
    const auto overflow = __builtin_add_overflow(finite ? t : 0, zone, &moved);
    const auto start = overflow ? min_time : truncate<Unit>(moved) - zone;
    to[i] = finite ? start : t;
    in_range &= !finite || start >= calendar::min_timestamp;
  }
  if (in_range)
    return out;
  for (std::uint32_t i = 0; i < context.rows; ++i)
    if (!skipped(context, i) && calendar::is_finite(x[i]) && to[i] < calendar::min_timestamp)
      return failed(i, timestamp_range);
  return out;
}

result<column> truncate_timestamp(const call_context& context, std::span<const column> args) {
  EBB_ASSERT(context.bound != nullptr);
  const auto& bound = static_cast<const bound_unit&>(*context.bound);
  const values<micros> x(args[1]);
  return time_fields::with_unit(
      bound.unit, [&]<time_unit Unit>() { return truncate_column<Unit>(context, x, bound.zone); });
}

template <time_unit Unit>
constexpr interval_value truncate_parts(interval_value x) noexcept {
  if constexpr (Unit <= time_unit::hour) {
    x.micros = x.micros / length_of(Unit) * length_of(Unit);
    return x;
  }
  x.micros = 0;
  if constexpr (Unit == time_unit::day)
    return x;
  x.days = 0;
  constexpr std::int32_t months = Unit == time_unit::quarter      ? 3
                                  : Unit == time_unit::year       ? 12
                                  : Unit == time_unit::decade     ? 120
                                  : Unit == time_unit::century    ? 1'200
                                  : Unit == time_unit::millennium ? 12'000
                                                                  : 1;
  x.months = x.months / months * months;
  return x;
}

result<column> truncate_interval(const call_context& context, std::span<const column> args) {
  EBB_ASSERT(context.bound != nullptr);
  const values<interval_value> x(args[1]);
  const auto unit = static_cast<const bound_unit&>(*context.bound).unit;
  return time_fields::with_unit(unit, [&]<time_unit Unit>() {
    return each_row<interval_value>(context, [&](std::uint32_t i, interval_value& out) {
      out = truncate_parts<Unit>(x[i]);
      return ok;
    });
  });
}

failure bin(const interval_value& stride, micros t, micros origin, micros& out) noexcept {
  out = t;
  if (!calendar::is_finite(t))
    return ok;
  if (!calendar::is_finite(origin))
    return "origin out of range";
  if (stride.months != 0)
    return "timestamps cannot be binned into intervals containing months or years";
  std::int64_t length = 0;
  std::int64_t distance = 0;
  if (__builtin_mul_overflow(std::int64_t{stride.days}, micros_per_day, &length)
      || __builtin_add_overflow(length, stride.micros, &length))
    return interval_range;
  if (length <= 0)
    return "stride must be greater than zero";
  if (__builtin_sub_overflow(t, origin, &distance))
    return interval_range;
  const auto rest = distance % length;
  out = origin + (distance - rest);
  if (rest < 0 && (__builtin_sub_overflow(out, length, &out) || !calendar::in_range(out)))
    return timestamp_range;
  return ok;
}

result<column> bin_timestamp(const call_context& context, std::span<const column> args) {
  const values<interval_value> stride(args[0]);
  const values<micros> source(args[1]);
  const values<micros> origin(args[2]);
  return each_row<micros>(context, [&](std::uint32_t i, micros& out) {
    return bin(stride[i], source[i], origin[i], out);
  });
}

} // namespace

void register_time_truncate(function_catalog& catalog) {
  using enum type_kind;
  for (const auto kind : {timestamp, timestamptz}) {
    add(catalog, {"date_trunc", {text, kind}, kind, truncate_timestamp, true, bind_unit});
    add(catalog, {"date_bin", {interval, kind, kind}, kind, bin_timestamp, true});
  }
  add(catalog,
      {"date_trunc", {text, timestamptz, text}, timestamptz, truncate_timestamp, true, bind_unit});
  add(catalog, {"date_trunc", {text, interval}, interval, truncate_interval, false, bind_unit});
}

} // namespace ebb::time_kernel
