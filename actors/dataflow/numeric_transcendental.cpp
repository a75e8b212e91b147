/// exp, ln, log and power of NUMERIC, on binary fixed-point numbers of as many bits as the result's
/// scale asks for, with guard bits that leave only the final rounding visible.
#include "actors/dataflow/numeric_math.hpp"

#include <algorithm>
#include <cmath>

namespace ebb {

namespace mp = boost::multiprecision;

namespace {

constexpr int significant_digits_min = 16;
constexpr int result_scale_max = 1000;
// |x| from which e^x overflows, or is zero at every scale.
constexpr double exponent_max = 6000;
constexpr double log10_of_e = 0.434294481903252;

int result_scale(int scale) noexcept {
  return std::clamp(scale, 0, result_scale_max);
}

error overflow() {
  return make_error(ec::evaluation, "value overflows numeric format");
}

error logarithm_error(int sign) {
  return make_error(ec::evaluation, sign == 0 ? "cannot take logarithm of zero"
                                              : "cannot take logarithm of a negative number");
}

// Bits after the binary point that hold `digits` decimal digits and guards for some thousand steps.
unsigned bits_for(int digits) noexcept {
  return static_cast<unsigned>(std::max(digits, 0) * 3.3220) + 96;
}

// atanh(1/n)·2^bits for a small n.
big_integer inverse_atanh(unsigned n, unsigned bits) {
  big_integer power = (big_integer(1) << bits) / n;
  big_integer sum = power;
  const unsigned square = n * n;
  for (unsigned k = 3; !power.is_zero(); k += 2) {
    power /= square;
    sum += power / k;
  }
  return sum;
}

// ln(2)·2^bits, by a Machin-like formula.
big_integer fixed_ln2(unsigned bits) {
  return 18 * inverse_atanh(26, bits) - 2 * inverse_atanh(4801, bits)
         + 8 * inverse_atanh(8749, bits);
}

// ln(x)·2^bits for a finite x > 0.
big_integer fixed_logarithm(const numeric& x, unsigned bits) {
  const big_integer divisor = big_power_of_ten(static_cast<unsigned>(x.scale()));
  int exponent = static_cast<int>(mp::msb(x.unscaled())) - static_cast<int>(mp::msb(divisor));
  // x = m · 2^exponent with m near 1.
  const auto mantissa = [&](int e) {
    const int shift = static_cast<int>(bits) - e;
    return shift >= 0 ? big_integer((x.unscaled() << static_cast<unsigned>(shift)) / divisor)
                      : big_integer(x.unscaled() / (divisor << static_cast<unsigned>(-shift)));
  };
  const big_integer one = big_integer(1) << bits;
  big_integer m = mantissa(exponent);
  while (m * 5 > one * 7) // above 1.4
    m = mantissa(++exponent);
  while (m * 10 < one * 7)
    m = mantissa(--exponent);
  // ln(m) = 2·atanh((m − 1) / (m + 1)).
  big_integer power = ((m - one) << bits) / (m + one);
  const big_integer square = (power * power) >> bits;
  big_integer sum = power;
  for (unsigned k = 3; !power.is_zero() && power != -1; k += 2) {
    power = (power * square) >> bits;
    sum += power / k;
  }
  sum <<= 1;
  if (exponent != 0)
    sum += exponent * fixed_ln2(bits);
  return sum;
}

// x / 2^bits as a decimal of `scale` places.
numeric to_decimal(const big_integer& x, unsigned bits, int scale) {
  return {
      divide_rounded(x * big_power_of_ten(static_cast<unsigned>(scale)), big_integer(1) << bits),
      scale};
}

// e^(x / 2^bits) as a decimal of `scale` places.
numeric fixed_exponential(const big_integer& x, unsigned bits, int scale) {
  const big_integer ln2 = fixed_ln2(bits);
  const int exponent = divide_rounded(x, ln2).convert_to<int>();
  // Halving the argument `halvings` times makes the series short; squaring undoes it.
  const unsigned halvings = 4 + static_cast<unsigned>(std::sqrt(bits) / 2);
  const unsigned work = bits + 2 * halvings;
  big_integer rest = ((x - exponent * ln2) << (2 * halvings)) >> halvings;
  const big_integer one = big_integer(1) << work;
  big_integer sum = one;
  big_integer term = one;
  for (unsigned k = 1; !term.is_zero() && term != -1; ++k) {
    term = ((term * rest) >> work) / k;
    sum += term;
  }
  for (unsigned i = 0; i < halvings; ++i)
    sum = (sum * sum) >> work;
  const int shift = static_cast<int>(work) - exponent;
  sum *= big_power_of_ten(static_cast<unsigned>(scale));
  if (shift <= 0)
    return {sum << static_cast<unsigned>(-shift), scale};
  return {divide_rounded(sum, big_integer(1) << static_cast<unsigned>(shift)), scale};
}

// Nearest double, good enough to choose scales with; huge values become infinite.
double rough_double(const numeric& x) {
  if (x.sign() == 0)
    return 0;
  const int digits = count_digits(x.unscaled());
  const int cut = std::max(0, digits - 20);
  const big_integer head = x.unscaled() / big_power_of_ten(static_cast<unsigned>(cut));
  return static_cast<double>(head.convert_to<long double>()
                             * std::pow(10.0L, static_cast<long double>(cut - x.scale())));
}

numeric logarithm_at(const numeric& x, int scale) {
  const unsigned bits = bits_for(scale);
  return to_decimal(fixed_logarithm(x, bits), bits, scale);
}

bool whole(const numeric& x) {
  return x.finite() && least_scale(x) == 0;
}

bool odd(const numeric& x) {
  return whole(x) && (x.truncated(0).unscaled() & 1) != 0;
}

bool is_one(const numeric& x) {
  return x.finite() && compare(x, numeric(1, 0)) == 0;
}

// Powers where an operand is NaN or infinite: the rules of POSIX pow().
result<numeric> special_power(const numeric& base, const numeric& exponent) {
  const numeric one(1, 0);
  const numeric infinity(numeric_form::plus_infinity);
  if (base.nan())
    return exponent.finite() && exponent.sign() == 0 ? one : base;
  if (exponent.nan())
    return is_one(base) ? one : exponent;
  if (base.sign() == 0 && exponent.sign() < 0)
    return make_error(ec::evaluation, "zero raised to a negative power is undefined");
  if (base.sign() < 0 && exponent.finite() && !whole(exponent))
    return make_error(ec::evaluation,
                      "a negative number raised to a non-integer power yields a complex result");
  if (is_one(base) || exponent.sign() == 0)
    return one;
  if (base.sign() == 0)
    return numeric();
  if (exponent.infinite()) {
    if (base.finite() && compare(base, numeric(-1, 0)) == 0)
      return one;
    const bool grows =
        base.infinite() || compare(numeric(mp::abs(base.unscaled()), base.scale()), one) > 0;
    return grows == (exponent.sign() > 0) ? infinity : numeric();
  }
  if (exponent.sign() < 0)
    return numeric();
  return base.sign() < 0 && odd(exponent) ? base : infinity;
}

} // namespace

result<numeric> exponential(const numeric& x) {
  if (x.nan() || x.form() == numeric_form::plus_infinity)
    return x;
  if (x.infinite())
    return numeric();
  const double value = rough_double(x);
  const auto weight = static_cast<int>(std::clamp(value * log10_of_e, -2000.0, 2000.0));
  const int scale = result_scale(std::max(significant_digits_min - weight, x.scale()));
  if (value >= exponent_max)
    return overflow();
  if (value <= -exponent_max)
    return numeric(0, scale);
  const unsigned bits = bits_for(scale + static_cast<int>(std::max(0.0, value * log10_of_e)) + 10);
  const big_integer fixed =
      (x.unscaled() << bits) / big_power_of_ten(static_cast<unsigned>(x.scale()));
  return fixed_exponential(fixed, bits, scale);
}

result<numeric> natural_logarithm(const numeric& x) {
  if (x.nan() || x.form() == numeric_form::plus_infinity)
    return x;
  if (x.sign() <= 0)
    return logarithm_error(x.sign());
  const int scale =
      result_scale(std::max(significant_digits_min - estimate_logarithm_weight(x), x.scale()));
  return logarithm_at(x, scale);
}

result<numeric> logarithm(const numeric& base, const numeric& x) {
  if (base.nan() || x.nan())
    return numeric(numeric_form::nan);
  if (!base.finite() || !x.finite()) {
    if (base.sign() < 0 || x.sign() < 0)
      return logarithm_error(-1);
    if (base.sign() == 0 || x.sign() == 0)
      return logarithm_error(0);
    if (base.infinite())
      return x.infinite() ? numeric(numeric_form::nan) : numeric();
    return x;
  }
  if (base.sign() <= 0)
    return logarithm_error(base.sign());
  if (x.sign() <= 0)
    return logarithm_error(x.sign());
  const int base_weight = estimate_logarithm_weight(base);
  const int weight = estimate_logarithm_weight(x) - base_weight;
  const int scale =
      result_scale(std::max({significant_digits_min - weight, base.scale(), x.scale()}));
  // Both logarithms with more digits than the quotient shows.
  const unsigned bits = bits_for(scale + std::max(weight, 0) + 2 * std::max(-base_weight, 0) + 10);
  const big_integer bottom = fixed_logarithm(base, bits);
  if (is_one(base))
    return make_error(ec::evaluation, "division by zero");
  const big_integer top = fixed_logarithm(x, bits) * big_power_of_ten(static_cast<unsigned>(scale));
  return numeric(divide_rounded(top, bottom), scale);
}

result<numeric> power(const numeric& base, const numeric& exponent) {
  if (!base.finite() || !exponent.finite())
    return special_power(base, exponent);
  if (base.sign() == 0 && exponent.sign() < 0)
    return make_error(ec::evaluation, "zero raised to a negative power is undefined");
  const bool whole_exponent = whole(exponent);
  if (base.sign() < 0 && !whole_exponent)
    return make_error(ec::evaluation,
                      "a negative number raised to a non-integer power yields a complex result");
  if (whole_exponent) {
    const big_integer steps = exponent.truncated(0).unscaled();
    if (steps >= INT32_MIN && steps <= INT32_MAX)
      return whole_power(base, steps.convert_to<std::int32_t>());
  }
  if (base.sign() == 0)
    return numeric(0, significant_digits_min);
  const numeric size(mp::abs(base.unscaled()), base.scale());
  const int logarithm_weight = estimate_logarithm_weight(size);
  // A first guess of the result's weight decides its scale.
  const int guess_scale = std::max(8 - logarithm_weight, 0);
  const auto guess = multiply(logarithm_at(size, guess_scale), exponent).rounded(guess_scale);
  const double value = rough_double(guess);
  if (std::fabs(value) > exponent_max * 1.00334) {
    if (value > 0)
      return overflow();
    return numeric(0, result_scale_max);
  }
  const int weight = static_cast<int>(value * log10_of_e);
  const int scale =
      result_scale(std::max({significant_digits_min - weight, base.scale(), exponent.scale()}));
  if (value >= exponent_max)
    return overflow();
  if (value <= -exponent_max)
    return numeric(0, scale);
  const int exponent_digits = std::max(0, count_digits(exponent.unscaled()) - exponent.scale());
  const unsigned bits = bits_for(scale + std::max(weight, 0) + exponent_digits + 10);
  const big_integer logarithm = fixed_logarithm(size, bits);
  const big_integer product =
      logarithm * exponent.unscaled() / big_power_of_ten(static_cast<unsigned>(exponent.scale()));
  auto found = fixed_exponential(product, bits, scale);
  if (base.sign() < 0 && odd(exponent))
    found = numeric(-found.unscaled(), scale);
  return found;
}

} // namespace ebb
