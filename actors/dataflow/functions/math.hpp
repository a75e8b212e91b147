/// The families of `register_math`, one file each.
#pragma once

#include "actors/dataflow/function.hpp"

namespace ebb {

void register_integer_math(function_catalog& catalog);     ///< abs gcd lcm factorial
void register_float_math(function_catalog& catalog);       ///< rounding, roots, powers, logarithms
void register_trigonometry(function_catalog& catalog);     ///< on DOUBLE, in radians
void register_numeric_math(function_catalog& catalog);     ///< roots, powers, logarithms, scales
void register_numeric_rounding(function_catalog& catalog); ///< abs sign round trunc ceil floor

} // namespace ebb
