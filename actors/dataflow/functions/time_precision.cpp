// TIMESTAMP(p), TIMESTAMPTZ(p) and INTERVAL(p): casts that keep p digits of a second's fraction.

#include "actors/dataflow/functions/time_kernel.hpp"

#include <array>

namespace ebb::time_kernel {

namespace {

/// Micros rounded to `digits` digits of a second, halves away from zero; false on overflow.
bool round_to(std::int64_t& x, std::int32_t digits) noexcept {
  static constexpr std::array<std::int64_t, 7> units{1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
  const auto unit = units[static_cast<std::size_t>(digits < 0 ? 0 : digits > 6 ? 6 : digits)];
  std::int64_t moved = 0;
  if (__builtin_add_overflow(x, x < 0 ? -(unit / 2) : unit / 2, &moved))
    return false;
  x = moved / unit * unit;
  return true;
}

/// PostgreSQL counts from 2000, which decides where halves go.
failure fit_time(micros t, std::int32_t digits, micros& out) noexcept {
  constexpr std::int64_t epoch_2000 = 946'684'800 * micros_per_second;
  out = t;
  if (!calendar::is_finite(t))
    return ok;
  out -= epoch_2000;
  if (!round_to(out, digits))
    return timestamp_range;
  out += epoch_2000;
  return calendar::in_range(out) ? ok : timestamp_range;
}

failure fit_interval(interval_value x, std::int32_t digits, interval_value& out) noexcept {
  out = x;
  return round_to(out.micros, digits) ? ok : interval_range;
}

} // namespace

void register_time_precision(function_catalog& catalog) {
  constexpr auto integer = type_kind::integer;
  for (const auto kind : {type_kind::timestamp, type_kind::timestamptz})
    add(catalog, {"fit_precision",
                  {kind, integer},
                  kind,
                  binary<micros, std::int32_t, micros, fit_time>,
                  true});
  add(catalog, {"fit_precision",
                {type_kind::interval, integer},
                type_kind::interval,
                binary<interval_value, std::int32_t, interval_value, fit_interval>,
                true});
}

} // namespace ebb::time_kernel
