#include "actors/dataflow/numeric_math.hpp"

#include <algorithm>
#include <cmath>

namespace ebb {

namespace mp = boost::multiprecision;

namespace {

// At least this many significant digits in inexact results; PostgreSQL's choice.
constexpr int significant_digits_min = 16;
constexpr int result_scale_max = 1000;

int result_scale(int scale) noexcept {
  return std::clamp(scale, 0, result_scale_max);
}

// log10 of |x|, x ≠ 0, as good as a double can say.
double decimal_logarithm(const numeric& x) {
  const int digits = count_digits(x.unscaled());
  const int cut = std::max(0, digits - 17);
  const big_integer head = mp::abs(x.unscaled()) / big_power_of_ten(static_cast<unsigned>(cut));
  return std::log10(head.convert_to<double>()) + cut - x.scale();
}

// A decimal floating number of bounded length, for powers.
struct scientific {
  big_integer digits;
  int exponent = 0;

  void trim(int digits_max) {
    const int excess = count_digits(digits) - digits_max;
    if (excess <= 0)
      return;
    digits = divide_rounded(digits, big_power_of_ten(static_cast<unsigned>(excess)));
    exponent += excess;
  }

  void multiply(const scientific& by, int digits_max) {
    digits *= by.digits;
    exponent += by.exponent;
    trim(digits_max);
  }
};

} // namespace

result<numeric> square_root(const numeric& x) {
  if (x.nan() || x.form() == numeric_form::plus_infinity)
    return x;
  if (x.sign() < 0)
    return make_error(ec::evaluation, "cannot take square root of a negative number");
  int weight = 0; // in base 10,000
  if (x.sign() != 0)
    weight = (count_digits(x.unscaled()) - 1 - x.scale()) >> 2;
  const int decimal_weight = (weight + 1) * 4 / 2 - 1;
  return square_root(x, result_scale(std::max(significant_digits_min - decimal_weight, x.scale())));
}

numeric square_root(const numeric& x, int scale) {
  // One integer root of x · 10^(2·places); its remainder says how to round.
  const int places = std::max(scale, (x.scale() + 1) / 2);
  const big_integer square =
      x.unscaled() * big_power_of_ten(static_cast<unsigned>(2 * places - x.scale()));
  big_integer rest;
  big_integer root = mp::sqrt(square, rest);
  if (rest > root)
    ++root;
  const numeric found(std::move(root), places);
  return places == scale ? found : found.rounded(scale);
}

result<numeric> whole_power(const numeric& base, std::int32_t exponent) {
  const int scale = result_scale(std::max(significant_digits_min, base.scale()));
  switch (exponent) {
  case 0:
    return numeric(1, 0).rounded(scale);
  case 1:
    return base.rounded(scale);
  case 2:
    return multiply(base, base).rounded(scale);
  default:
    break;
  }
  if (base.sign() == 0)
    return numeric(0, scale);
  const double weight = exponent * decimal_logarithm(base);
  if (weight > 131'080)
    return make_error(ec::evaluation, "value overflows numeric format");
  if (weight + 1 < -scale || weight + 1 < -result_scale_max)
    return numeric(0, scale);
  const int digits = 1 + scale + static_cast<int>(weight) + 30;
  auto left = static_cast<std::uint32_t>(std::abs(static_cast<std::int64_t>(exponent)));
  scientific square{base.unscaled(), -base.scale()};
  scientific product{1, 0};
  for (;;) {
    if ((left & 1) != 0)
      product.multiply(square, digits);
    left >>= 1;
    if (left == 0)
      break;
    square.multiply(square, digits);
  }
  // The value is digits · 10^exponent, or one over it.
  const int shift = exponent < 0 ? scale - product.exponent : scale + product.exponent;
  big_integer top = exponent < 0 ? big_integer(1) : product.digits;
  big_integer bottom = exponent < 0 ? product.digits : big_integer(1);
  if (shift >= 0)
    top *= big_power_of_ten(static_cast<unsigned>(shift));
  else
    bottom *= big_power_of_ten(static_cast<unsigned>(-shift));
  return numeric(divide_rounded(top, bottom), scale);
}

numeric greatest_common_divisor(const numeric& a, const numeric& b) {
  if (!a.finite() || !b.finite())
    return numeric(numeric_form::nan);
  const int scale = std::max(a.scale(), b.scale());
  return {mp::gcd(a.rounded(scale).unscaled(), b.rounded(scale).unscaled()), scale};
}

numeric least_common_multiple(const numeric& a, const numeric& b) {
  if (!a.finite() || !b.finite())
    return numeric(numeric_form::nan);
  const int scale = std::max(a.scale(), b.scale());
  if (a.sign() == 0 || b.sign() == 0)
    return {0, scale};
  return {mp::lcm(a.rounded(scale).unscaled(), b.rounded(scale).unscaled()), scale};
}

int least_scale(const numeric& x) {
  if (!x.finite() || x.sign() == 0)
    return 0;
  int scale = x.scale();
  big_integer digits = x.unscaled();
  while (scale > 0 && digits % 10 == 0) {
    digits /= 10;
    --scale;
  }
  return scale;
}

int estimate_logarithm_weight(const numeric& x) {
  if (compare(x, numeric(9, 1)) >= 0 && compare(x, numeric(11, 1)) <= 0) {
    // ln(1 + y) is about y.
    const auto distance = subtract(x, numeric(1, 0));
    return distance.sign() == 0 ? 0 : count_digits(distance.unscaled()) - 1 - distance.scale();
  }
  // As PostgreSQL estimates it, so that results have its scale also beside a power of ten: of the first
  // two of its digits, which are of base 10,000.
  const big_integer size = mp::abs(x.unscaled());
  const int count = count_digits(size);
  const int exponent = count - 1 - x.scale();
  const int in_first = ((exponent % 4) + 4) % 4 + 1;
  const auto head = [&](int digits) {
    const int cut = count - digits;
    return cut >= 0 ? size / big_power_of_ten(static_cast<unsigned>(cut))
                    : size * big_power_of_ten(static_cast<unsigned>(-cut));
  };
  const bool has_second =
      count > in_first && size % big_power_of_ten(static_cast<unsigned>(count - in_first)) != 0;
  const int digits = has_second ? in_first + 4 : in_first;
  const double logarithm = std::log(head(digits).convert_to<double>())
                           + (exponent + 1 - digits) * 2.302585092994046;
  return static_cast<int>(std::log10(std::fabs(logarithm)));
}

} // namespace ebb
