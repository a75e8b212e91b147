/// Functions of NUMERIC with PostgreSQL 15's result scales and errors. All are exact or correctly
/// rounded (half away from zero) at that scale; they are slow paths on arbitrary precision.
#pragma once

#include "actors/dataflow/numeric_value.hpp"

namespace ebb {

/// Errors: `cannot take square root of a negative number`.
[[nodiscard]] result<numeric> square_root(const numeric& x);
/// Square root of a finite x ≥ 0 at a given scale.
[[nodiscard]] numeric square_root(const numeric& x, int scale);
/// Errors: `value overflows numeric format`.
[[nodiscard]] result<numeric> exponential(const numeric& x);
/// Errors: `cannot take logarithm of zero`, `… of a negative number`.
[[nodiscard]] result<numeric> natural_logarithm(const numeric& x);
[[nodiscard]] result<numeric> logarithm(const numeric& base, const numeric& x);
/// Errors: `zero raised to a negative power is undefined`, `a negative number raised to a
/// non-integer power yields a complex result`, `value overflows numeric format`.
[[nodiscard]] result<numeric> power(const numeric& base, const numeric& exponent);
[[nodiscard]] numeric greatest_common_divisor(const numeric& a, const numeric& b);
[[nodiscard]] numeric least_common_multiple(const numeric& a, const numeric& b);
/// Number of places that the value needs; 0 for what is not finite.
[[nodiscard]] int least_scale(const numeric& x);

/// Decimal weight of ln(x), estimated as PostgreSQL does to choose scales; x > 0.
[[nodiscard]] int estimate_logarithm_weight(const numeric& x);
/// base^exponent for a whole exponent of 32 bits; base is finite, and not 0 for negative exponents.
[[nodiscard]] result<numeric> whole_power(const numeric& base, std::int32_t exponent);

} // namespace ebb
