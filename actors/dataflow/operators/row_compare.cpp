#include "actors/dataflow/operators/row_compare.hpp"

#include "actors/dataflow/jsonb.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <bit>
#include <cmath>
#include <tuple>

namespace ebb {

namespace {

template <class T>
int three_way(T a, T b) noexcept {
  return (a > b ? 1 : 0) - (a < b ? 1 : 0);
}

template <class T>
int compare_as(const column& a, std::uint32_t i, const column& b, std::uint32_t k) noexcept {
  return three_way(a.data<T>()[a.at(i)], b.data<T>()[b.at(k)]);
}

template <class T>
int compare_floats(const column& a, std::uint32_t i, const column& b, std::uint32_t k) noexcept {
  const T x = a.data<T>()[a.at(i)];
  const T y = b.data<T>()[b.at(k)];
  if (std::isnan(x) || std::isnan(y))
    return three_way(std::isnan(x) ? 1 : 0, std::isnan(y) ? 1 : 0);
  return three_way(x, y);
}

int128 length_of(const interval_value& x) noexcept {
  return static_cast<int128>(x.micros)
         + (static_cast<int128>(x.days) + static_cast<int128>(x.months) * 30) * micros_per_day;
}

int compare_arrays(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  const auto* from_a = a.data<std::uint32_t>() + a.at(i);
  const auto* from_b = b.data<std::uint32_t>() + b.at(k);
  auto x = from_a[0];
  auto y = from_b[0];
  for (; x < from_a[1] && y < from_b[1]; ++x, ++y) {
    const bool x_null = a.child->is_null(x);
    const bool y_null = b.child->is_null(y);
    const int order = x_null || y_null ? three_way(x_null ? 1 : 0, y_null ? 1 : 0)
                                       : compare_values(*a.child, x, *b.child, y);
    if (order != 0)
      return order;
  }
  return three_way(from_a[1] - from_a[0], from_b[1] - from_b[0]);
}

std::uint64_t flip(std::int64_t x) noexcept {
  return static_cast<std::uint64_t>(x) ^ (std::uint64_t{1} << 63);
}

std::uint64_t ordered_bits(double x) noexcept {
  if (std::isnan(x))
    return UINT64_MAX;
  const auto bits = std::bit_cast<std::uint64_t>(x == 0.0 ? 0.0 : x);
  return (bits >> 63) != 0 ? ~bits : bits | (std::uint64_t{1} << 63);
}

std::uint64_t word_of(const column& x, std::uint32_t i) {
  switch (x.type.kind) {
  case type_kind::boolean:
    return x.data<std::uint8_t>()[i];
  case type_kind::smallint:
    return flip(x.data<std::int16_t>()[i]);
  case type_kind::integer:
  case type_kind::date:
    return flip(x.data<std::int32_t>()[i]);
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return flip(x.data<std::int64_t>()[i]);
  case type_kind::real:
    return ordered_bits(static_cast<double>(x.data<float>()[i]));
  case type_kind::double_precision:
    return ordered_bits(x.data<double>()[i]);
  case type_kind::numeric:
    return ordered_bits(numeric_to_double(x, i));
  case type_kind::text:
  case type_kind::bytea: {
    const auto text = x.text_of(i);
    std::uint64_t word = 0;
    for (std::size_t b = 0; b < 8; ++b)
      word = (word << 8) | (b < text.size() ? static_cast<std::uint8_t>(text[b]) : 0U);
    return word;
  }
  default:
    return 0; // intervals, arrays: always compared in full
  }
}

std::uint64_t prefix_of(const column& x, std::uint32_t i, const sort_key& key, bool encoded) {
  if (x.is_null(i))
    return key.nulls_first ? 0 : UINT64_MAX;
  const auto word = encoded ? 0 : word_of(x, i);
  // One bit less, so that NULLs have words of their own.
  return ((key.descending ? ~word : word) >> 1) + 1;
}

column decoded(const column& x, std::uint32_t i, const sql_type& type) {
  value_builder out(type, 1);
  auto bytes = x.text_of(i);
  auto read = out.append_encoded(bytes);
  EBB_ASSERT(static_cast<bool>(read)); // the store wrote them
  return out.take();
}

} // namespace

int compare_values(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  switch (a.type.kind) {
  case type_kind::boolean:
    return compare_as<std::uint8_t>(a, i, b, k);
  case type_kind::smallint:
    return compare_as<std::int16_t>(a, i, b, k);
  case type_kind::integer:
  case type_kind::date:
    return compare_as<std::int32_t>(a, i, b, k);
  case type_kind::bigint:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return compare_as<std::int64_t>(a, i, b, k);
  case type_kind::real:
    return compare_floats<float>(a, i, b, k);
  case type_kind::double_precision:
    return compare_floats<double>(a, i, b, k);
  case type_kind::numeric:
    return compare_numeric(a, i, b, k);
  case type_kind::interval:
    return three_way(length_of(a.data<interval_value>()[a.at(i)]),
                     length_of(b.data<interval_value>()[b.at(k)]));
  case type_kind::unknown:
  case type_kind::text:
  case type_kind::bytea: {
    const int order = a.text_of(i).compare(b.text_of(k));
    return three_way(order, 0);
  }
  case type_kind::array:
    return compare_arrays(a, i, b, k);
  case type_kind::jsonb:
    return jsonb::compare(a.text_of(i), b.text_of(k));
  }
  EBB_UNREACHABLE("type without an order");
}

row_order::row_order(std::vector<sort_key> keys, const std::vector<sql_type>& types)
    : keys_(std::move(keys)) {
  types_.reserve(keys_.size());
  for (const auto& key : keys_)
    types_.push_back(types[key.column]);
}

// value_of_a(k) = the column of sort key k, the place in it, and whether it is a stored array.
template <class ValueOfA>
int row_order::compare_with(ValueOfA value_of_a, const row_store& b, std::uint32_t row_b) const {
  for (std::size_t k = 0; k < keys_.size(); ++k) {
    const auto& key = keys_[k];
    const auto [x, i, stored] = value_of_a(k);
    const auto& y = b.stored(key.column, row_b);
    const auto j = row_store::place_of(row_b);
    const bool x_null = x->is_null(i);
    const bool y_null = y.is_null(j);
    if (x_null || y_null) {
      if (x_null && y_null)
        continue;
      return x_null == key.nulls_first ? -1 : 1;
    }
    int order = 0;
    if (types_[k].kind != type_kind::array)
      order = compare_values(*x, i, y, j);
    else if (stored)
      order = compare_values(decoded(*x, i, types_[k]), 0, decoded(y, j, types_[k]), 0);
    else
      order = compare_values(*x, i, decoded(y, j, types_[k]), 0);
    if (order != 0)
      return key.descending ? -order : order;
  }
  return 0;
}

int row_order::compare(const row_store& a, std::uint32_t row_a, const row_store& b,
                       std::uint32_t row_b) const {
  return compare_with(
      [&](std::size_t k) {
        return std::tuple{&a.stored(keys_[k].column, row_a), row_store::place_of(row_a), true};
      },
      b, row_b);
}

int row_order::compare(const batch& a, std::uint32_t row_a, const row_store& b,
                       std::uint32_t row_b) const {
  return compare_with(
      [&](std::size_t k) {
        return std::tuple{&a.columns[keys_[k].column], row_a, false};
      },
      b, row_b);
}

void row_order::prefixes(const batch& x, std::uint64_t* out) const {
  if (keys_.empty()) {
    std::fill_n(out, x.rows, std::uint64_t{0});
    return;
  }
  const auto& column = x.columns[keys_.front().column];
  for (std::uint32_t i = 0; i < x.rows; ++i)
    out[i] = prefix_of(column, i, keys_.front(), column.type.kind == type_kind::array);
}

std::uint64_t row_order::prefix(const row_store& x, std::uint32_t row) const {
  if (keys_.empty())
    return 0;
  return prefix_of(x.stored(keys_.front().column, row), row_store::place_of(row), keys_.front(),
                   types_.front().kind == type_kind::array);
}

} // namespace ebb
