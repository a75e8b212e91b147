#include "actors/dataflow/value_text.hpp"

#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/time_text.hpp"
#include "schemas/assert.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace ebb {

namespace {

template <class T>
void append_integer(T x, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, x);
  out.append(digits, static_cast<std::size_t>(end.ptr - digits));
}

/// Digits and decimal exponent of a finite non-negative number: 0.d1d2… is not used, the point
/// stands after the first digit.
struct decimal_digits {
  char digits[20];
  int count = 0;
  int exponent = 0;
};

/// Splits `d.ddde±xx` as std::to_chars writes it.
decimal_digits split_scientific(const char* first, const char* last) {
  decimal_digits result;
  for (; first != last && *first != 'e'; ++first)
    if (*first != '.')
      result.digits[result.count++] = *first;
  if (first != last) {
    ++first;
    const bool negative = *first == '-';
    ++first;
    int exponent = 0;
    std::from_chars(first, last, exponent);
    result.exponent = negative ? -exponent : exponent;
  }
  while (result.count > 1 && result.digits[result.count - 1] == '0')
    --result.count;
  return result;
}

/// True when the decimal lies exactly in the middle between `x` and a neighbour. Such a decimal
/// reads back equal only under round-half-to-even; PostgreSQL does not take it. It happens only
/// where the decimal is an integer, D * 5^q * 2^q; its odd part and power of two are compared with
/// those of the middles.
template <class T>
bool is_halfway(T x, const decimal_digits& decimal) {
  constexpr int mantissa_bits = std::numeric_limits<T>::digits;
  constexpr int most_fives = 23; // 5^24 is larger than every odd part of a middle
  int twos = decimal.exponent - decimal.count + 1;
  if (twos < 0 || twos > most_fives)
    return false;
  unsigned __int128 odd = 0;
  for (int i = 0; i < decimal.count; ++i)
    odd = odd * 10 + static_cast<unsigned>(decimal.digits[i] - '0');
  for (int i = 0; i < decimal.exponent - decimal.count + 1; ++i)
    odd *= 5;
  if (odd == 0)
    return false;
  for (; odd % 2 == 0; odd /= 2)
    ++twos;
  int exponent = 0;
  const auto mantissa =
      static_cast<std::uint64_t>(std::ldexp(std::frexp(x, &exponent), mantissa_bits));
  exponent -= mantissa_bits;
  const bool lowest = mantissa == std::uint64_t{1} << (mantissa_bits - 1);
  return (odd == 2 * mantissa + 1 && twos == exponent - 1)
         || (lowest ? odd == 4 * mantissa - 1 && twos == exponent - 2
                    : odd == 2 * mantissa - 1 && twos == exponent - 1);
}

template <class T>
decimal_digits shortest_digits(T x) {
  char text[40];
  auto end = std::to_chars(text, text + sizeof text, x, std::chars_format::scientific);
  auto result = split_scientific(text, end.ptr);
  if (!is_halfway(x, result))
    return result;
  for (int precision = result.count - 1; precision < std::numeric_limits<T>::max_digits10;
       ++precision) {
    end = std::to_chars(text, text + sizeof text, x, std::chars_format::scientific, precision);
    T back = 0;
    std::from_chars(text, end.ptr, back);
    result = split_scientific(text, end.ptr);
    if (back == x && !is_halfway(x, result))
      break;
  }
  return result;
}

template <class T>
void append_floating(T x, int fixed_digits, std::string& out) {
  if (std::isnan(x)) {
    out += "NaN";
    return;
  }
  if (std::signbit(x))
    out += '-';
  if (std::isinf(x)) {
    out += "Infinity";
    return;
  }
  const auto decimal = shortest_digits(std::fabs(x));
  const auto count = static_cast<std::size_t>(decimal.count);
  if (decimal.exponent < -4 || decimal.exponent >= fixed_digits) {
    out += decimal.digits[0];
    if (count > 1) {
      out += '.';
      out.append(decimal.digits + 1, count - 1);
    }
    out += 'e';
    out += decimal.exponent < 0 ? '-' : '+';
    const int size = std::abs(decimal.exponent);
    if (size < 10)
      out += '0';
    append_integer(size, out);
  } else if (decimal.exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-decimal.exponent - 1), '0');
    out.append(decimal.digits, count);
  } else {
    const auto whole = static_cast<std::size_t>(decimal.exponent) + 1;
    if (count <= whole) {
      out.append(decimal.digits, count);
      out.append(whole - count, '0');
    } else {
      out.append(decimal.digits, whole);
      out += '.';
      out.append(decimal.digits + whole, count - whole);
    }
  }
}

bool equals_null(std::string_view text) {
  return text.size() == 4 && (text[0] | 0x20) == 'n' && (text[1] | 0x20) == 'u'
         && (text[2] | 0x20) == 'l' && (text[3] | 0x20) == 'l';
}

void append_element(std::string_view text, std::string& out) {
  const bool quoted = text.empty() || equals_null(text)
                      || text.find_first_of("\"\\{}, \t\n\r\v\f") != std::string_view::npos;
  if (!quoted) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  out += '"';
}

void append_array(const column& x, std::uint32_t i, std::string& out) {
  const auto* offsets = x.data<std::uint32_t>() + x.at(i);
  const auto& child = *x.child;
  std::string scratch;
  out += '{';
  for (auto k = offsets[0]; k < offsets[1]; ++k) {
    if (k != offsets[0])
      out += ',';
    if (child.is_null(k)) {
      out += "NULL";
    } else if (child.type.kind == type_kind::boolean) {
      out += child.data<std::uint8_t>()[k] != 0 ? 't' : 'f';
    } else if (child.type.kind == type_kind::text) {
      append_element(child.text_of(k), out);
    } else {
      scratch.clear();
      append_value_text(child, k, scratch);
      append_element(scratch, out);
    }
  }
  out += '}';
}

} // namespace

void append_bytea(std::string_view bytes, std::string& out) {
  constexpr char hex[] = "0123456789abcdef";
  out += "\\x";
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += hex[b >> 4];
    out += hex[b & 15];
  }
}

void append_double(double x, std::string& out) {
  append_floating(x, std::numeric_limits<double>::digits10, out);
}

void append_real(float x, std::string& out) {
  append_floating(x, std::numeric_limits<float>::digits10, out);
}

void append_value_text(const column& x, std::uint32_t i, std::string& out) {
  const auto k = x.at(i);
  switch (x.type.kind) {
  case type_kind::boolean:
    out += x.data<std::uint8_t>()[k] != 0 ? "true" : "false";
    return;
  case type_kind::smallint:
    append_integer(x.data<std::int16_t>()[k], out);
    return;
  case type_kind::integer:
    append_integer(x.data<std::int32_t>()[k], out);
    return;
  case type_kind::bigint:
    append_integer(x.data<std::int64_t>()[k], out);
    return;
  case type_kind::real:
    append_real(x.data<float>()[k], out);
    return;
  case type_kind::double_precision:
    append_double(x.data<double>()[k], out);
    return;
  case type_kind::numeric:
    append_numeric(x, i, out);
    return;
  case type_kind::text:
  case type_kind::jsonb:
  case type_kind::unknown:
    out += x.text_of(i);
    return;
  case type_kind::bytea:
    append_bytea(x.text_of(i), out);
    return;
  case type_kind::date:
    append_date(x.data<std::int32_t>()[k], out);
    return;
  case type_kind::timestamp:
    append_timestamp(x.data<micros>()[k], out);
    return;
  case type_kind::timestamptz:
    append_timestamptz(x.data<micros>()[k], out);
    return;
  case type_kind::interval:
    append_interval(x.data<interval_value>()[k], out);
    return;
  case type_kind::array:
    append_array(x, i, out);
    return;
  }
  EBB_UNREACHABLE("type without text");
}

} // namespace ebb
