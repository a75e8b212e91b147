#include "actors/dataflow/numeric_value.hpp"

#include "actors/dataflow/numeric_small.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

namespace ebb {

namespace mp = boost::multiprecision;

namespace {

// PostgreSQL's limit: 32768 base-10000 digits before the point.
constexpr int integer_digits_max = 131'072;

error overflow() {
  return make_error(ec::evaluation, "value overflows numeric format");
}

void align(const numeric& a, const numeric& b, big_integer& left, big_integer& right) {
  left = a.unscaled();
  right = b.unscaled();
  if (a.scale() < b.scale())
    left *= big_power_of_ten(static_cast<unsigned>(b.scale() - a.scale()));
  else if (b.scale() < a.scale())
    right *= big_power_of_ten(static_cast<unsigned>(a.scale() - b.scale()));
}

int floor_quarter(int x) noexcept {
  return x >= 0 ? x / 4 : -((3 - x) / 4);
}

struct leading_digit {
  int weight = 0;
  int digit = 0; // 1 .. 9999, 0 for zero
};

// The first digit in base 10,000, which is how PostgreSQL stores numbers and picks scales.
leading_digit leading_of(const numeric& x) {
  leading_digit first;
  if (x.unscaled().is_zero())
    return first;
  first.weight = floor_quarter(count_digits(x.unscaled()) - 1 - x.scale());
  const int shift = x.scale() + 4 * first.weight;
  big_integer digit = mp::abs(x.unscaled());
  if (shift >= 0)
    digit /= big_power_of_ten(static_cast<unsigned>(shift));
  else
    digit *= big_power_of_ten(static_cast<unsigned>(-shift));
  first.digit = digit.convert_to<int>();
  return first;
}

numeric infinity_of(int sign) {
  return numeric(sign < 0 ? numeric_form::minus_infinity : numeric_form::plus_infinity);
}

} // namespace

big_integer big_power_of_ten(unsigned exponent) {
  if (exponent <= 38)
    return big_from_int128(powers_of_ten[exponent]);
  return mp::pow(big_integer(10), exponent);
}

int count_digits(const big_integer& x) {
  if (x.is_zero())
    return 0;
  const auto bits = static_cast<std::int64_t>(mp::msb(mp::abs(x))) + 1;
  const auto guess = static_cast<int>((bits - 1) * 30'103 / 100'000);
  // floor(log10) is guess, or one off for the rounding of the constant on huge numbers.
  int digits = guess + 1;
  const big_integer size = mp::abs(x);
  while (size >= big_power_of_ten(static_cast<unsigned>(digits)))
    ++digits;
  while (digits > 1 && size < big_power_of_ten(static_cast<unsigned>(digits - 1)))
    --digits;
  return digits;
}

namespace {

constexpr int block_digits = 16 * 18;

// The digits of x < 10^block_digits behind those in `out`, which are filled up with zeros.
void append_block(big_integer x, std::string& out) {
  constexpr std::uint64_t chunk = 1'000'000'000'000'000'000U; // 10^18
  constexpr int chunk_digits = 18;
  std::string reversed;
  while (x != 0) {
    auto part = static_cast<std::uint64_t>(x % chunk);
    x /= chunk;
    for (int i = 0; i < chunk_digits; ++i, part /= 10)
      reversed.push_back(static_cast<char>('0' + part % 10));
  }
  if (!out.empty())
    reversed.resize(block_digits, '0');
  while (out.empty() && !reversed.empty() && reversed.back() == '0')
    reversed.pop_back();
  out.append(reversed.rbegin(), reversed.rend());
}

// Halves the digits until they are blocks: powers[k] is 10^(block_digits * 2^k), x is below the
// square of powers[level - 1].
void append_halves(const big_integer& x, const std::vector<big_integer>& powers, std::size_t level,
                   std::string& out) {
  if (level == 0)
    return append_block(x, out);
  big_integer high;
  big_integer low;
  mp::divide_qr(x, powers[level - 1], high, low);
  append_halves(high, powers, level - 1, out);
  append_halves(low, powers, level - 1, out);
}

} // namespace

std::string magnitude_digits(const big_integer& x) {
  static const big_integer block = mp::pow(big_integer(10), block_digits);
  const big_integer size = mp::abs(x);
  if (size == 0)
    return "0";
  std::string out;
  if (size < block) {
    append_block(size, out);
    return out;
  }
  std::vector<big_integer> powers{block};
  while (2 * mp::msb(powers.back()) <= mp::msb(size))
    powers.push_back(powers.back() * powers.back());
  append_halves(size, powers, powers.size(), out);
  return out;
}

big_integer divide_rounded(const big_integer& a, const big_integer& b) {
  big_integer quotient;
  big_integer rest;
  const big_integer divisor = mp::abs(b);
  mp::divide_qr(big_integer(mp::abs(a)), divisor, quotient, rest);
  rest <<= 1;
  if (rest >= divisor)
    ++quotient;
  return (a < 0) != (b < 0) ? big_integer(-quotient) : quotient;
}

bool fits_int128(const big_integer& x) noexcept {
  return x.is_zero() || mp::msb(x < 0 ? big_integer(-x) : x) < 127;
}

big_integer big_from_int128(int128 x) {
  const uint128 size = magnitude(x);
  big_integer result = static_cast<std::uint64_t>(size >> 64);
  result <<= 64;
  result |= static_cast<std::uint64_t>(size);
  if (x < 0)
    result = -result;
  return result;
}

int128 to_int128(const big_integer& x) {
  const big_integer size = mp::abs(x);
  const auto low = static_cast<std::uint64_t>(size & UINT64_MAX);
  const auto high = static_cast<std::uint64_t>((size >> 64) & UINT64_MAX);
  const auto value = static_cast<int128>((static_cast<uint128>(high) << 64) | low);
  return x < 0 ? -value : value;
}

numeric numeric::load(const column& x, std::uint32_t i) {
  const auto scale = x.scale_of(i);
  const auto k = x.at(i);
  switch (scale) {
  case numeric_tag::nan:
    return numeric(numeric_form::nan);
  case numeric_tag::plus_infinity:
    return numeric(numeric_form::plus_infinity);
  case numeric_tag::minus_infinity:
    return numeric(numeric_form::minus_infinity);
  case numeric_tag::big:
    break;
  default:
    return {big_from_int128(x.data<int128>()[k]), scale};
  }
  const auto bytes = x.data<text_ref>()[k].view();
  EBB_ASSERT(bytes.size() > 3);
  numeric value;
  const auto* digits = reinterpret_cast<const unsigned char*>(bytes.data()) + 3;
  value.scale_ = digits[-2] | (digits[-1] << 8);
  mp::import_bits(value.unscaled_, digits, digits + (bytes.size() - 3), 8, false);
  if (bytes[0] != 0)
    value.unscaled_ = -value.unscaled_;
  return value;
}

result<void> numeric::store(column& x, std::uint32_t i) const {
  if (form_ != numeric_form::finite) {
    set_numeric_special(x, i,
                        form_ == numeric_form::nan             ? numeric_tag::nan
                        : form_ == numeric_form::plus_infinity ? numeric_tag::plus_infinity
                                                               : numeric_tag::minus_infinity);
    return {};
  }
  if (scale_ > numeric_scale_max)
    return overflow();
  if (fits_int128(unscaled_)) {
    set_numeric(x, i, to_int128(unscaled_), static_cast<std::int16_t>(scale_));
    return {};
  }
  const big_integer size = mp::abs(unscaled_);
  // Counting digits is dear; log10(2) bounds it for all but the largest.
  if (static_cast<double>(mp::msb(size)) * 0.30103 > integer_digits_max + scale_ - 1
      && count_digits(size) - scale_ > integer_digits_max)
    return overflow();
  std::string bytes;
  const auto big_scale = static_cast<std::uint16_t>(scale_);
  bytes.push_back(unscaled_ < 0 ? '\1' : '\0');
  bytes.push_back(static_cast<char>(big_scale & 0xff));
  bytes.push_back(static_cast<char>(big_scale >> 8));
  mp::export_bits(size, std::back_inserter(bytes), 8, false);
  while (bytes.back() == 0)
    bytes.pop_back();
  set_numeric_big(x, i, bytes);
  return {};
}

int numeric::sign() const noexcept {
  switch (form_) {
  case numeric_form::finite:
    return unscaled_.sign();
  case numeric_form::minus_infinity:
    return -1;
  case numeric_form::nan:
  case numeric_form::plus_infinity:
    break;
  }
  return 1;
}

numeric numeric::rounded(int places) const {
  if (!finite())
    return *this;
  if (places >= scale_)
    return {unscaled_ * big_power_of_ten(static_cast<unsigned>(places - scale_)), places};
  // A cut of more places than there are digits, and one, leaves nothing: spare the huge power.
  if (scale_ - places > count_digits(unscaled_) + 1)
    return {0, std::max(places, 0)};
  big_integer kept =
      divide_rounded(unscaled_, big_power_of_ten(static_cast<unsigned>(scale_ - places)));
  if (places < 0)
    kept *= big_power_of_ten(static_cast<unsigned>(-places));
  return {std::move(kept), std::max(places, 0)};
}

numeric numeric::truncated(int places) const {
  if (!finite() || places >= scale_)
    return rounded(places);
  if (scale_ - places > count_digits(unscaled_))
    return {0, std::max(places, 0)};
  big_integer kept = unscaled_ / big_power_of_ten(static_cast<unsigned>(scale_ - places));
  if (places < 0)
    kept *= big_power_of_ten(static_cast<unsigned>(-places));
  return {std::move(kept), std::max(places, 0)};
}

numeric add(const numeric& a, const numeric& b) {
  if (a.finite() && b.finite()) {
    big_integer left;
    big_integer right;
    align(a, b, left, right);
    return {left + right, std::max(a.scale(), b.scale())};
  }
  if (a.nan() || b.nan() || (a.infinite() && b.infinite() && a.form() != b.form()))
    return numeric(numeric_form::nan);
  return a.finite() ? b : a;
}

numeric subtract(const numeric& a, const numeric& b) {
  if (b.infinite())
    return add(a, infinity_of(-b.sign()));
  return add(a, b.finite() ? numeric(-b.unscaled(), b.scale()) : b);
}

numeric multiply(const numeric& a, const numeric& b) {
  if (a.finite() && b.finite()) {
    numeric product(a.unscaled() * b.unscaled(), a.scale() + b.scale());
    return product.scale() > numeric_scale_max ? product.rounded(numeric_scale_max) : product;
  }
  if (a.nan() || b.nan() || a.sign() == 0 || b.sign() == 0)
    return numeric(numeric_form::nan);
  return infinity_of(a.sign() * b.sign());
}

int division_scale(const numeric& a, const numeric& b) {
  const auto from = leading_of(a);
  const auto by = leading_of(b);
  const int weight = from.weight - by.weight - (from.digit <= by.digit ? 1 : 0);
  return std::min(std::max({16 - 4 * weight, a.scale(), b.scale(), 0}), 1000);
}

namespace {

// Quotients with a special operand; both rules for division share them. Sets `done`.
result<numeric> divide_special(const numeric& a, const numeric& b, bool& done) {
  done = true;
  if (a.nan() || b.nan())
    return numeric(numeric_form::nan);
  if (b.finite() && b.sign() == 0)
    return make_error(ec::evaluation, "division by zero");
  if (a.infinite())
    return b.infinite() ? numeric(numeric_form::nan) : infinity_of(a.sign() * b.sign());
  if (b.infinite())
    return numeric();
  done = false;
  return numeric();
}

} // namespace

result<numeric> divide(const numeric& a, const numeric& b) {
  bool done = false;
  auto special = divide_special(a, b, done);
  if (done)
    return special;
  const int scale = division_scale(a, b);
  const int shift = scale + b.scale() - a.scale();
  big_integer from = a.unscaled();
  big_integer by = b.unscaled();
  if (shift >= 0)
    from *= big_power_of_ten(static_cast<unsigned>(shift));
  else
    by *= big_power_of_ten(static_cast<unsigned>(-shift));
  return numeric(divide_rounded(from, by), scale);
}

result<numeric> divide_truncated(const numeric& a, const numeric& b) {
  bool done = false;
  auto special = divide_special(a, b, done);
  if (done)
    return special;
  big_integer from;
  big_integer by;
  align(a, b, from, by);
  return numeric(from / by, 0);
}

result<numeric> modulo(const numeric& a, const numeric& b) {
  if (a.nan() || b.nan())
    return numeric(numeric_form::nan);
  if (b.finite() && b.sign() == 0)
    return make_error(ec::evaluation, "division by zero");
  if (a.infinite())
    return numeric(numeric_form::nan);
  if (b.infinite())
    return a;
  big_integer from;
  big_integer by;
  align(a, b, from, by);
  return numeric(from % by, std::max(a.scale(), b.scale()));
}

int compare(const numeric& a, const numeric& b) {
  if (a.finite() && b.finite()) {
    if (a.scale() == b.scale())
      return a.unscaled().compare(b.unscaled());
    big_integer left;
    big_integer right;
    align(a, b, left, right);
    return left.compare(right);
  }
  const auto rank = [](const numeric& x) { return x.nan() ? 2 : x.infinite() ? x.sign() : 0; };
  return rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0;
}

result<numeric> coerce(const numeric& x, const sql_type& type) {
  if (type.precision == 0 || x.nan())
    return x;
  const std::string field = "a field with precision " + std::to_string(type.precision) + ", scale "
                            + std::to_string(type.scale);
  if (x.infinite())
    return make_error(ec::evaluation, "numeric field overflow",
                      field + " cannot hold an infinite value");
  auto kept = x.rounded(type.scale);
  const int digits = type.precision - type.scale;
  if (kept.sign() != 0 && count_digits(kept.unscaled()) - kept.scale() > digits)
    return make_error(ec::evaluation, "numeric field overflow",
                      field + " must round to an absolute value less than "
                          + (digits == 0 ? std::string("1") : "10^" + std::to_string(digits)));
  return kept;
}

} // namespace ebb
