// extract() and date_part(). The field is resolved once, when the query is bound.

#include "actors/dataflow/functions/time_fields.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>
#include <limits>

namespace ebb::time_kernel {

std::optional<std::string> constant_text(const expr_ptr& x) {
  if (x->kind != expr_kind::literal || x->value.is_null(0))
    return std::nullopt;
  std::string text(x->value.text_of(0));
  std::transform(text.begin(), text.end(), text.begin(), time_input::lower);
  return text;
}

namespace {

struct bound_field final : bound_call {
  explicit bound_field(time_unit x) : unit(x) {}

  time_unit unit;
};

bool has_field(type_kind kind, time_unit unit, bool as_double) {
  const auto is_zone = unit >= time_unit::timezone && unit <= time_unit::timezone_minute;
  switch (kind) {
  case type_kind::timestamptz:
    return unit != time_unit::ago;
  case type_kind::timestamp:
    return unit != time_unit::ago && !is_zone;
  case type_kind::date:
    // date_part() reads a date as its midnight.
    return unit != time_unit::ago && !is_zone && (as_double || !time_fields::is_clock_field(unit));
  default:
    return (unit <= time_unit::millennium && unit != time_unit::week) || unit == time_unit::epoch;
  }
}

result<std::shared_ptr<const bound_call>> bind_field(std::span<const expr_ptr> args,
                                                     bool as_double) {
  const auto& source = args[1]->type;
  if (args[0]->kind == expr_kind::literal && args[0]->value.is_null(0))
    return std::shared_ptr<const bound_call>();
  const auto name = constant_text(args[0]);
  if (!name)
    return make_error(ec::unsupported, "the field of date_part must be a constant",
                      "write it as a literal, or choose among several with CASE");
  const auto unit = field_of_name(*name);
  const auto kind =
      source.kind == type_kind::date && as_double ? sql_type{type_kind::timestamp} : source;
  if (unit == time_unit::none)
    return make_error(ec::invalid_argument,
                      "unit \"" + *name + "\" not recognized for type " + to_string(kind),
                      "fields are year, month, day, hour, minute, second, dow, doy, week, epoch …");
  if (!has_field(source.kind, unit, as_double))
    return make_error(ec::invalid_argument,
                      "unit \"" + *name + "\" not supported for type " + to_string(kind));
  return std::shared_ptr<const bound_call>(std::make_shared<bound_field>(unit));
}

result<std::shared_ptr<const bound_call>> bind_extract(std::span<const expr_ptr> args) {
  return bind_field(args, false);
}

result<std::shared_ptr<const bound_call>> bind_date_part(std::span<const expr_ptr> args) {
  return bind_field(args, true);
}

time_unit unit_of(const call_context& context) {
  EBB_ASSERT(context.bound != nullptr);
  return static_cast<const bound_field*>(context.bound)->unit;
}

/// Rows of infinite times, found before the loop: most columns have none.
template <class T>
bool all_finite(const values<T>& x, std::uint32_t rows, T low, T high) {
  bool found = false;
  for (std::uint32_t i = 0; i < rows; ++i)
    found |= x[i] == low || x[i] == high;
  return !found;
}

/// What infinite times give: ±Infinity for growing fields, NULL for the others.
template <class T>
void fix_infinite(column& out, const call_context& context, const values<T>& x, T low, T high,
                  time_unit unit) {
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i) || (x[i] != low && x[i] != high))
      continue;
    if (!time_fields::is_monotonic(unit)) {
      set_null(out, i);
      continue;
    }
    if (out.type.kind == type_kind::double_precision) {
      constexpr auto infinity = std::numeric_limits<double>::infinity();
      out.mutable_data<double>()[i] = x[i] == high ? infinity : -infinity;
      continue;
    }
    if (!out.scales) {
      out.scales = buffer_ptr::of<std::int16_t>(out.rows);
      std::fill_n(out.scales.as<std::int16_t>(), out.rows, out.scale);
    }
    out.scales.as<std::int16_t>()[i] =
        x[i] == high ? numeric_tag::plus_infinity : numeric_tag::minus_infinity;
  }
}

/// NUMERIC digits of `field(value)` with one scale for all rows.
template <class T, class Field>
column numeric_column(const call_context& context, const values<T>& x, std::int16_t scale,
                      Field field) {
  auto out = make_column(sql_type{type_kind::numeric}, context.rows);
  out.scale = scale;
  auto* to = out.mutable_data<int128>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    to[i] = field(x[i]);
  return out;
}

template <class T, class Field>
column double_column(const call_context& context, const values<T>& x, Field field) {
  auto out = make_column(sql_type{type_kind::double_precision}, context.rows);
  auto* to = out.mutable_data<double>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    to[i] = field(x[i]);
  return out;
}

/// The Julian day of a timestamp as NUMERIC: a division, with its scale by value.
result<column> extract_julian(const call_context& context, const values<micros>& x) {
  auto out = make_numeric_column(sql_type{type_kind::numeric}, context.rows);
  auto dividend = make_numeric_column(sql_type{type_kind::numeric}, 1);
  auto divisor = make_numeric_column(sql_type{type_kind::numeric}, 1);
  set_numeric(divisor, 0, micros_per_day, 0);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i) || !calendar::is_finite(x[i]))
      continue;
    const auto days = calendar::floor_div(x[i], micros_per_day);
    set_numeric(dividend, 0, x[i] - days * micros_per_day, 0);
    EBB_TRY(divide_numeric(out, i, dividend, 0, divisor, 0));
    const auto scale = out.scale_of(i);
    int128 unit = 1;
    for (int k = 0; k < scale; ++k)
      unit *= 10;
    const auto fraction = out.data<int128>()[i];
    set_numeric(out, i, fraction + unit * (days + calendar::unix_epoch_julian), scale);
  }
  return out;
}

result<column> extract_timestamp(const call_context& context, std::span<const column> args) {
  const values<micros> x(args[1]);
  const auto unit = unit_of(context);
  const auto finite = all_finite(x, context.rows, min_time, max_time);
  result<column> out = column{};
  if (unit == time_unit::julian)
    out = extract_julian(context, x);
  else
    out = time_fields::with_unit(unit, [&]<time_unit Unit>() {
      return numeric_column(context, x, time_fields::scale_of(Unit),
                            time_fields::of_timestamp<Unit>::scaled);
    });
  if (out && !finite)
    fix_infinite(*out, context, x, min_time, max_time, unit);
  return out;
}

result<column> part_of_timestamp(const call_context& context, std::span<const column> args) {
  const values<micros> x(args[1]);
  const auto unit = unit_of(context);
  auto out = time_fields::with_unit(unit, [&]<time_unit Unit>() {
    return double_column(context, x, time_fields::of_timestamp<Unit>::real);
  });
  if (!all_finite(x, context.rows, min_time, max_time))
    fix_infinite(out, context, x, min_time, max_time, unit);
  return out;
}

constexpr std::int64_t seconds_of_days(std::int32_t days) noexcept {
  return std::int64_t{days} * 86'400;
}

result<column> extract_date(const call_context& context, std::span<const column> args) {
  const values<std::int32_t> x(args[1]);
  const auto unit = unit_of(context);
  auto out = unit == time_unit::epoch
                 ? numeric_column(context, x, 0, seconds_of_days)
                 : time_fields::with_unit(unit, [&]<time_unit Unit>() {
                     return numeric_column(context, x, 0, time_fields::of_days<Unit>);
                   });
  constexpr auto low = calendar::date_minus_infinity;
  constexpr auto high = calendar::date_infinity;
  if (!all_finite(x, context.rows, low, high))
    fix_infinite(out, context, x, low, high, unit);
  return out;
}

result<column> part_of_date(const call_context& context, std::span<const column> args) {
  const values<std::int32_t> x(args[1]);
  const auto unit = unit_of(context);
  constexpr auto low = calendar::date_minus_infinity;
  constexpr auto high = calendar::date_infinity;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    std::int64_t product = 0;
    if (!skipped(context, i) && calendar::is_finite_date(x[i])
        && __builtin_mul_overflow(std::int64_t{x[i]}, micros_per_day, &product))
      return failed(i, "date out of range for timestamp");
  }
  auto out = unit == time_unit::epoch ? double_column(
                 context, x, [](std::int32_t d) { return static_cast<double>(seconds_of_days(d)); })
             : time_fields::is_clock_field(unit)
                 ? double_column(context, x, [](std::int32_t) { return 0.0; })
                 : time_fields::with_unit(unit, [&]<time_unit Unit>() {
                     return double_column(context, x, [](std::int32_t d) {
                       return static_cast<double>(time_fields::of_days<Unit>(d));
                     });
                   });
  if (!all_finite(x, context.rows, low, high))
    fix_infinite(out, context, x, low, high, unit);
  return out;
}

result<column> extract_interval(const call_context& context, std::span<const column> args) {
  const values<interval_value> x(args[1]);
  return time_fields::with_unit(unit_of(context), [&]<time_unit Unit>() {
    return numeric_column(context, x, time_fields::scale_of(Unit),
                          time_fields::of_interval<Unit>::scaled);
  });
}

result<column> part_of_interval(const call_context& context, std::span<const column> args) {
  const values<interval_value> x(args[1]);
  return time_fields::with_unit(unit_of(context), [&]<time_unit Unit>() {
    return double_column(context, x, time_fields::of_interval<Unit>::real);
  });
}

} // namespace

void register_time_extract(function_catalog& catalog) {
  using enum type_kind;
  const auto extract = [&](type_kind kind, kernel run) {
    add(catalog, {"extract", {text, kind}, numeric, run, false, bind_extract});
  };
  extract(date, extract_date);
  extract(timestamp, extract_timestamp);
  extract(timestamptz, extract_timestamp);
  extract(interval, extract_interval);
  const auto part = [&](type_kind kind, kernel run) {
    add(catalog, {"date_part", {text, kind}, double_precision, run, kind == date, bind_date_part});
  };
  part(date, part_of_date);
  part(timestamp, part_of_timestamp);
  part(timestamptz, part_of_timestamp);
  part(interval, part_of_interval);
}

} // namespace ebb::time_kernel
