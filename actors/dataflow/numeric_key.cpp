/// Order-preserving bytes of NUMERIC values.
///
/// A class byte; for values other than 0 the count of base-100 digits before the point (3 bytes,
/// biased), then each base-100 digit plus one, and a 0. For negative values all bytes after the
/// class are complemented.
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/numeric_digits.hpp"
#include "actors/dataflow/numeric_value.hpp"

#include <algorithm>

namespace ebb {

namespace {

enum key_class : unsigned char {
  key_minus_infinity = 1,
  key_negative = 2,
  key_zero = 3,
  key_positive = 4,
  key_plus_infinity = 5,
  key_nan = 6,
};

constexpr std::int32_t weight_bias = 1 << 23;

int half_up(int x) noexcept {
  return (x + 1) >> 1; // rounds up, also below zero
}

void encode_digits(std::string_view digits, int scale, bool negative, std::string& out) {
  while (digits.back() == '0') {
    digits.remove_suffix(1);
    --scale;
  }
  const unsigned char flip = negative ? 0xff : 0;
  const auto put = [&out, flip](int byte) {
    out.push_back(static_cast<char>(static_cast<unsigned char>(byte) ^ flip));
  };
  out.push_back(negative ? key_negative : key_positive);
  const int whole = static_cast<int>(digits.size()) - scale; // decimal digits before the point
  const std::int32_t weight = half_up(whole) + weight_bias;
  put((weight >> 16) & 0xff);
  put((weight >> 8) & 0xff);
  put(weight & 0xff);
  std::size_t next = 0;
  if ((whole & 1) != 0)
    put(digits[next++] - '0' + 1);
  for (; next < digits.size(); next += 2) {
    const int low = next + 1 < digits.size() ? digits[next + 1] - '0' : 0;
    put((digits[next] - '0') * 10 + low + 1);
  }
  put(0);
}

error damaged() {
  return make_error(ec::corrupt, "damaged key: numeric");
}

} // namespace

void encode_numeric_key(const column& x, std::uint32_t i, std::string& out) {
  const auto scale = x.scale_of(i);
  switch (scale) {
  case numeric_tag::nan:
    out.push_back(key_nan);
    return;
  case numeric_tag::plus_infinity:
    out.push_back(key_plus_infinity);
    return;
  case numeric_tag::minus_infinity:
    out.push_back(key_minus_infinity);
    return;
  case numeric_tag::big: {
    const auto value = numeric::load(x, i);
    const std::string digits = magnitude_digits(value.unscaled());
    encode_digits(digits, value.scale(), value.sign() < 0, out);
    return;
  }
  default:
    break;
  }
  const int128 value = x.data<int128>()[x.at(i)];
  if (value == 0) {
    out.push_back(key_zero);
    return;
  }
  char digits[digits_max];
  const auto size = write_digits(magnitude(value), digits);
  encode_digits({digits, size}, scale, value < 0, out);
}

result<void> decode_numeric_key(std::string_view& bytes, column& x, std::uint32_t i) {
  if (bytes.empty())
    return damaged();
  const auto kind = static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  switch (kind) {
  case key_minus_infinity:
    set_numeric_special(x, i, numeric_tag::minus_infinity);
    return {};
  case key_plus_infinity:
    set_numeric_special(x, i, numeric_tag::plus_infinity);
    return {};
  case key_nan:
    set_numeric_special(x, i, numeric_tag::nan);
    return {};
  case key_zero:
    set_numeric(x, i, 0, std::max<std::int16_t>(0, x.type.scale));
    return {};
  case key_negative:
  case key_positive:
    break;
  default:
    return damaged();
  }
  const unsigned char flip = kind == key_negative ? 0xff : 0;
  const auto byte_at = [&bytes, flip](std::size_t k) {
    return static_cast<unsigned char>(static_cast<unsigned char>(bytes[k]) ^ flip);
  };
  if (bytes.size() < 4)
    return damaged();
  const std::int32_t weight = ((byte_at(0) << 16) | (byte_at(1) << 8) | byte_at(2)) - weight_bias;
  std::string text(kind == key_negative ? "-" : "");
  std::size_t next = 3;
  int digits = 0;
  for (;; ++next, ++digits) {
    if (next >= bytes.size())
      return damaged();
    const auto byte = byte_at(next);
    if (byte == 0)
      break;
    if (byte > 100)
      return damaged();
    text.push_back(static_cast<char>('0' + (byte - 1) / 10));
    text.push_back(static_cast<char>('0' + (byte - 1) % 10));
  }
  bytes.remove_prefix(next + 1);
  if (digits == 0)
    return damaged();
  // The digits read as an integer, moved by the places that lie after the point.
  int exponent = 2 * (weight - digits);
  if (exponent < 0 && text.back() == '0') {
    text.pop_back();
    ++exponent;
  }
  text += 'e';
  text += std::to_string(exponent);
  return parse_numeric(text, x, i);
}

} // namespace ebb
