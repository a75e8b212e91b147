// Casts among date, timestamp and timestamptz. The session's time zone is UTC, so the two kinds of
// timestamp have the same values.

#include "actors/dataflow/functions/time_kernel.hpp"

namespace ebb {

namespace {

using time_kernel::failure;
using time_kernel::ok;

failure to_timestamp(std::int32_t date, micros& out) noexcept {
  if (!calendar::is_finite_date(date)) {
    out = date == calendar::date_infinity ? max_time : min_time;
    return ok;
  }
  if (__builtin_mul_overflow(std::int64_t{date}, micros_per_day, &out))
    return "date out of range for timestamp";
  return ok;
}

failure to_date(micros t, std::int32_t& out) noexcept {
  if (t == max_time)
    out = calendar::date_infinity;
  else if (t == min_time)
    out = calendar::date_minus_infinity;
  else
    out = static_cast<std::int32_t>(calendar::floor_div(t, micros_per_day));
  return ok;
}

result<column> same_value(const call_context& context, std::span<const column> args) {
  auto out = args[0];
  out.type = context.type;
  return out;
}

void add_cast(function_catalog& catalog, type_kind from, type_kind to, cast_context context,
              kernel run, bool may_fail) {
  scalar_function f;
  f.name = "cast";
  f.params = {sql_type{from}};
  f.returns = sql_type{to};
  f.run = run;
  f.cast = context;
  f.may_fail = may_fail;
  catalog.add(std::move(f));
}

} // namespace

void register_time_casts(function_catalog& catalog) {
  using enum type_kind;
  using enum cast_context;
  const kernel from_date = time_kernel::unary<std::int32_t, micros, to_timestamp>;
  const kernel from_time = time_kernel::unary<micros, std::int32_t, to_date>;
  add_cast(catalog, date, timestamp, implicit, from_date, true);
  add_cast(catalog, date, timestamptz, implicit, from_date, true);
  add_cast(catalog, timestamp, date, assignment, from_time, false);
  add_cast(catalog, timestamptz, date, assignment, from_time, false);
  add_cast(catalog, timestamp, timestamptz, implicit, same_value, false);
  add_cast(catalog, timestamptz, timestamp, assignment, same_value, false);
}

} // namespace ebb
