/// One NUMERIC of any size, on arbitrary-precision integers: what kernels fall back to where 128
/// bits do not hold a value or a result. Heavy to include; only for sources that compute with it.
#pragma once

#include "actors/dataflow/numeric.hpp"

#include <boost/multiprecision/cpp_int.hpp>

namespace ebb {

using big_integer = boost::multiprecision::cpp_int;

enum class numeric_form : std::uint8_t { finite, nan, plus_infinity, minus_infinity };

/// A value type. Finite values are `unscaled` / 10^`scale`.
class numeric {
public:
  numeric() = default;

  numeric(big_integer unscaled, int scale) : unscaled_(std::move(unscaled)), scale_(scale) {}

  explicit numeric(numeric_form form) : form_(form) {}

  /// Value i of a column.
  [[nodiscard]] static numeric load(const column& x, std::uint32_t i);

  /// Writes row i of a column under construction. Error: `value overflows numeric format`.
  [[nodiscard]] result<void> store(column& x, std::uint32_t i) const;

  [[nodiscard]] numeric_form form() const noexcept {
    return form_;
  }

  [[nodiscard]] bool finite() const noexcept {
    return form_ == numeric_form::finite;
  }

  [[nodiscard]] bool nan() const noexcept {
    return form_ == numeric_form::nan;
  }

  [[nodiscard]] bool infinite() const noexcept {
    return !finite() && !nan();
  }

  [[nodiscard]] const big_integer& unscaled() const noexcept {
    return unscaled_;
  }

  [[nodiscard]] int scale() const noexcept {
    return scale_;
  }

  /// −1, 0 or 1; NaN counts as positive.
  [[nodiscard]] int sign() const noexcept;

  /// Rounded half away from zero, or cut, to `scale` places (more places append zeros; a negative
  /// scale rounds before the point and gives scale 0).
  [[nodiscard]] numeric rounded(int scale) const;
  [[nodiscard]] numeric truncated(int scale) const;

private:
  big_integer unscaled_;
  int scale_ = 0;
  numeric_form form_ = numeric_form::finite;
};

[[nodiscard]] big_integer big_power_of_ten(unsigned exponent);
/// Decimal digits of the magnitude; 0 has none.
[[nodiscard]] int count_digits(const big_integer& x);
/// The decimal digits of the magnitude, `0` for 0.
[[nodiscard]] std::string magnitude_digits(const big_integer& x);
/// a / b (b > 0 or < 0), rounded half away from zero.
[[nodiscard]] big_integer divide_rounded(const big_integer& a, const big_integer& b);
[[nodiscard]] big_integer big_from_int128(int128 x);
/// Whether |x| < 2^127; then `to_int128` is exact.
[[nodiscard]] bool fits_int128(const big_integer& x) noexcept;
[[nodiscard]] int128 to_int128(const big_integer& x);

[[nodiscard]] numeric add(const numeric& a, const numeric& b);
[[nodiscard]] numeric subtract(const numeric& a, const numeric& b);
[[nodiscard]] numeric multiply(const numeric& a, const numeric& b);
/// Errors: `division by zero`.
[[nodiscard]] result<numeric> divide(const numeric& a, const numeric& b);
[[nodiscard]] result<numeric> modulo(const numeric& a, const numeric& b);
/// div(a, b): the quotient cut to an integer.
[[nodiscard]] result<numeric> divide_truncated(const numeric& a, const numeric& b);
[[nodiscard]] int compare(const numeric& a, const numeric& b);
/// Scale of a / b: PostgreSQL's rule for at least 16 significant digits. `b` is not zero.
[[nodiscard]] int division_scale(const numeric& a, const numeric& b);
/// NUMERIC(precision, scale). Error: `numeric field overflow`.
[[nodiscard]] result<numeric> coerce(const numeric& x, const sql_type& type);

} // namespace ebb
