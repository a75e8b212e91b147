/// Orders of single values of every kind, and comparison of arrays element by element.
#include "actors/dataflow/functions/comparison.hpp"
#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

template <class T>
int plain_order(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  const T x = a.data<T>()[a.at(i)];
  const T y = b.data<T>()[b.at(k)];
  return less_relation::of(x, y) ? -1 : less_relation::of(y, x) ? 1 : 0;
}

int text_order(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  return a.text_of(i).compare(b.text_of(k));
}

int jsonb_order(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  return jsonb::compare(a.text_of(i), b.text_of(k));
}

int interval_order(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  const auto micros_of = [](const interval_value& x) {
    return (static_cast<int128>(x.months) * 30 + x.days) * micros_per_day + x.micros;
  };
  const int128 x = micros_of(a.data<interval_value>()[a.at(i)]);
  const int128 y = micros_of(b.data<interval_value>()[b.at(k)]);
  return x < y ? -1 : x > y ? 1 : 0;
}

// NULL elements are equal to each other and above all others; the shorter of two arrays with a
// common beginning is the lesser.
int array_order(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  const auto order = order_of(a.type.element);
  const auto* a_offsets = a.data<std::uint32_t>() + a.at(i);
  const auto* b_offsets = b.data<std::uint32_t>() + b.at(k);
  const auto a_size = a_offsets[1] - a_offsets[0];
  const auto b_size = b_offsets[1] - b_offsets[0];
  for (std::uint32_t n = 0; n < std::min(a_size, b_size); ++n) {
    const auto x = a_offsets[0] + n;
    const auto y = b_offsets[0] + n;
    const bool x_null = a.child->is_null(x);
    const bool y_null = b.child->is_null(y);
    if (x_null != y_null)
      return x_null ? 1 : -1;
    if (x_null)
      continue;
    if (const int found = order(*a.child, x, *b.child, y); found != 0)
      return found;
  }
  return a_size < b_size ? -1 : a_size > b_size ? 1 : 0;
}

} // namespace

value_order order_of(type_kind kind) {
  switch (kind) {
  case type_kind::boolean:
    return plain_order<std::uint8_t>;
  case type_kind::smallint:
    return plain_order<std::int16_t>;
  case type_kind::integer:
  case type_kind::date:
    return plain_order<std::int32_t>;
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return plain_order<std::int64_t>;
  case type_kind::real:
    return plain_order<float>;
  case type_kind::double_precision:
    return plain_order<double>;
  case type_kind::numeric:
    return compare_numeric;
  case type_kind::text:
  case type_kind::bytea:
  case type_kind::unknown:
    return text_order;
  case type_kind::interval:
    return interval_order;
  case type_kind::jsonb:
    return jsonb_order;
  case type_kind::array:
    break;
  }
  EBB_UNREACHABLE("arrays have no arrays as elements");
}

void register_array_comparison(function_catalog& catalog) {
  for (const auto kind :
       {type_kind::text, type_kind::integer, type_kind::bigint, type_kind::smallint,
        type_kind::boolean, type_kind::real, type_kind::double_precision, type_kind::numeric,
        type_kind::bytea, type_kind::date, type_kind::timestamp, type_kind::timestamptz,
        type_kind::interval, type_kind::jsonb}) {
    const auto array = sql_type{kind}.array_of();
    add_comparisons<ordered_family<array_order>>(catalog, array, array);
  }
  const sql_type json{type_kind::jsonb};
  add_comparisons<ordered_family<jsonb_order>>(catalog, json, json);
}

} // namespace ebb
