#include "actors/dataflow/functions/comparison.hpp"

namespace ebb {

namespace {

// Infinite times lie beyond the microseconds of every finite date.
constexpr int128 infinite_micros = static_cast<int128>(1) << 100;

int128 wide_micros(std::int64_t time) noexcept {
  return time == INT64_MAX ? infinite_micros : time == INT64_MIN ? -infinite_micros : time;
}

int128 wide_micros(std::int32_t days) noexcept {
  return days == INT32_MAX   ? infinite_micros
         : days == INT32_MIN ? -infinite_micros
                             : static_cast<int128>(days) * micros_per_day;
}

// 30-day months and 24-hour days, as PostgreSQL compares intervals.
int128 wide_micros(const interval_value& x) noexcept {
  return (static_cast<int128>(x.months) * 30 + x.days) * micros_per_day + x.micros;
}

template <class A, class B>
struct wide_family {
  template <class Relation>
  struct op {
    static std::uint8_t apply(const A& a, const B& b) noexcept {
      return Relation::of(wide_micros(a), wide_micros(b)) ? 1 : 0;
    }
  };

  template <class Relation>
  static result<column> run(const call_context& context, std::span<const column> args) {
    return plain_binary<op<Relation>, A, B, std::uint8_t>(context, args);
  }
};

} // namespace

void register_mixed_time_comparison(function_catalog& catalog) {
  constexpr sql_type date{type_kind::date};
  for (const auto kind : {type_kind::timestamp, type_kind::timestamptz}) {
    add_comparisons<wide_family<std::int32_t, std::int64_t>>(catalog, date, sql_type{kind});
    add_comparisons<wide_family<std::int64_t, std::int32_t>>(catalog, sql_type{kind}, date);
  }
  constexpr sql_type interval{type_kind::interval};
  add_comparisons<wide_family<interval_value, interval_value>>(catalog, interval, interval);
}

} // namespace ebb
