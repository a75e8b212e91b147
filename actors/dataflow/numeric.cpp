#include "actors/dataflow/numeric.hpp"

#include "actors/dataflow/numeric_small.hpp"
#include "actors/dataflow/numeric_value.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace ebb {

namespace {

// A chunk of a numeric column's heap: the first 8 bytes hold how many bytes of it are used, so that
// many big values share one buffer while the column is under construction.
constexpr std::size_t heap_chunk = std::size_t{16} << 10;
constexpr std::size_t heap_header = sizeof(std::uint64_t);

char* reserve_heap(column& x, std::size_t size) {
  if (!x.heap.empty()) {
    auto* used = x.heap.back().as<std::uint64_t>();
    if (x.heap.back().size() - *used >= size) {
      char* place = x.heap.back().as<char>() + *used;
      *used += size;
      return place;
    }
  }
  auto chunk = buffer_ptr::make(std::max(heap_chunk, size + heap_header));
  *chunk.as<std::uint64_t>() = heap_header + size;
  char* place = chunk.as<char>() + heap_header;
  x.heap.push_back(std::move(chunk));
  return place;
}

std::uint32_t stored_rows(const column& x) noexcept {
  return x.constant ? 1 : x.rows;
}

std::int16_t* own_scales(column& x) {
  if (!x.scales) {
    const auto count = stored_rows(x);
    x.scales = buffer_ptr::of<std::int16_t>(std::max<std::uint32_t>(1, count));
    std::fill_n(x.scales.as<std::int16_t>(), count, x.scale);
  }
  return x.scales.as<std::int16_t>();
}

template <class Float>
void set_from_float(column& x, std::uint32_t i, Float value, int digits) {
  if (std::isnan(value))
    return set_numeric_special(x, i, numeric_tag::nan);
  if (std::isinf(value))
    return set_numeric_special(
        x, i, value > 0 ? numeric_tag::plus_infinity : numeric_tag::minus_infinity);
  // d.ddd…e±xx, rounded to `digits` digits as PostgreSQL's printf does.
  char text[40];
  const auto end = std::to_chars(std::begin(text), std::end(text), value,
                                 std::chars_format::scientific, digits - 1)
                       .ptr;
  std::int64_t unscaled = 0;
  const char* next = text;
  const bool negative = *next == '-';
  for (next += negative ? 1 : 0; next != end && *next != 'e'; ++next)
    if (*next != '.')
      unscaled = unscaled * 10 + (*next - '0');
  int exponent = 0;
  next += next + 1 < end && next[1] == '+' ? 2 : 1;
  std::from_chars(next, end, exponent);
  int scale = digits - 1 - exponent;
  while (unscaled != 0 && unscaled % 10 == 0) {
    unscaled /= 10;
    --scale;
  }
  if (negative)
    unscaled = -unscaled;
  if (unscaled == 0)
    return set_numeric(x, i, 0, 0);
  int128 wide = unscaled;
  if (scale >= 0)
    return set_numeric(x, i, wide, static_cast<std::int16_t>(scale));
  if (scale_up(unscaled, -scale, wide))
    return set_numeric(x, i, wide, 0);
  const auto stored =
      numeric(big_integer(unscaled) * big_power_of_ten(static_cast<unsigned>(-scale)), 0)
          .store(x, i);
  EBB_ASSERT(static_cast<bool>(stored)); // a double has at most 309 digits before the point
}

} // namespace

column make_numeric_column(sql_type type, std::uint32_t rows) {
  EBB_ASSERT(type.kind == type_kind::numeric);
  column x = make_column(type, rows);
  x.scale = std::max<std::int16_t>(0, type.scale);
  std::memset(x.values.as<std::byte>(), 0, std::size_t{rows} * sizeof(int128));
  if (type.precision == 0)
    own_scales(x);
  return x;
}

void set_numeric(column& x, std::uint32_t i, int128 unscaled, std::int16_t scale) {
  if (unscaled == int128_lowest) {
    // Magnitudes of 2^127 are big, so that negation in the fast path is always exact.
    const auto stored = numeric(-(big_integer(1) << 127), scale).store(x, i);
    EBB_ASSERT(static_cast<bool>(stored));
    return;
  }
  x.mutable_data<int128>()[i] = unscaled;
  if (x.scales || scale != x.scale)
    own_scales(x)[i] = scale;
}

void set_numeric_special(column& x, std::uint32_t i, std::int16_t tag) {
  EBB_ASSERT(tag < 0 && tag != numeric_tag::big);
  x.mutable_data<int128>()[i] = 0;
  own_scales(x)[i] = tag;
}

void set_numeric_big(column& x, std::uint32_t i, std::string_view bytes) {
  char* place = reserve_heap(x, bytes.size());
  std::memcpy(place, bytes.data(), bytes.size());
  own_scales(x)[i] = numeric_tag::big;
  x.mutable_data<text_ref>()[i] = text_ref{place, static_cast<std::uint32_t>(bytes.size())};
}

void copy_numeric(column& x, std::uint32_t i, const column& from, std::uint32_t k) {
  const auto scale = from.scale_of(k);
  if (scale == numeric_tag::big)
    set_numeric_big(x, i, from.text_of(k));
  else if (scale < 0)
    set_numeric_special(x, i, scale);
  else
    set_numeric(x, i, from.data<int128>()[from.at(k)], scale);
}

void pack_scales(column& x) {
  if (!x.scales)
    return;
  const auto rows = stored_rows(x);
  auto* scales = x.scales.as<std::int16_t>();
  auto* values = x.mutable_data<int128>();
  bool found = false;
  std::int16_t common = 0;
  bool same = true;
  for (std::uint32_t i = 0; i < rows && same; ++i) {
    if (x.is_null(i))
      continue;
    same = scales[i] >= 0 && (!found || scales[i] == common);
    common = scales[i];
    found = true;
  }
  if (x.validity)
    for (std::uint32_t i = 0; i < rows; ++i)
      if (x.is_null(i)) {
        values[i] = 0;
        scales[i] = 0;
      }
  if (same) {
    x.scale = common;
    x.scales = buffer_ptr{};
  }
}

int compare_numeric(const column& a, std::uint32_t i, const column& b, std::uint32_t k) {
  const auto a_scale = a.scale_of(i);
  const auto b_scale = b.scale_of(k);
  if (a_scale >= 0 && b_scale >= 0)
    return compare_small(a.data<int128>()[a.at(i)], a_scale, b.data<int128>()[b.at(k)], b_scale);
  return compare(numeric::load(a, i), numeric::load(b, k));
}

double numeric_to_double(const column& x, std::uint32_t i) {
  // Up to 2^53 and 10^22 are exact doubles, so one division rounds once.
  static constexpr double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr std::int64_t exact_max = std::int64_t{1} << 53;
  const auto scale = x.scale_of(i);
  if (scale >= 0 && scale <= 22) {
    const int128 value = x.data<int128>()[x.at(i)];
    if (value <= exact_max && value >= -exact_max)
      return static_cast<double>(static_cast<std::int64_t>(value)) / powers[scale];
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  switch (scale) {
  case numeric_tag::nan:
    return std::numeric_limits<double>::quiet_NaN();
  case numeric_tag::plus_infinity:
    return infinity;
  case numeric_tag::minus_infinity:
    return -infinity;
  default:
    break;
  }
  std::string text;
  append_numeric(x, i, text);
  double value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec == std::errc::result_out_of_range) {
    const bool negative = text.front() == '-';
    const bool huge = text[negative ? 1 : 0] != '0';
    value = huge ? infinity : 0;
    return negative ? -value : value;
  }
  return value;
}

void set_numeric_from_double(column& x, std::uint32_t i, double value) {
  set_from_float(x, i, value, 15);
}

void set_numeric_from_real(column& x, std::uint32_t i, float value) {
  set_from_float(x, i, value, 6);
}

result<void> coerce_numeric(column& x, std::uint32_t i, const column& from, std::uint32_t k) {
  const auto& type = x.type;
  const auto scale = from.scale_of(k);
  if (type.precision == 0 || scale == numeric_tag::nan) {
    copy_numeric(x, i, from, k);
    return {};
  }
  int128 kept_small = 0;
  if (scale >= 0 && coerce_small(from.data<int128>()[from.at(k)], scale, type, kept_small)) {
    set_numeric(x, i, kept_small, type.scale);
    return {};
  }
  EBB_ASSIGN(const auto kept, coerce(numeric::load(from, k), type));
  return kept.store(x, i);
}

} // namespace ebb
