/// The families of `register_arithmetic`, one file each.
#pragma once

#include "actors/dataflow/function.hpp"

namespace ebb {

void register_integer_arithmetic(function_catalog& catalog);
void register_bit_operators(function_catalog& catalog); ///< & | # ~ << >>
void register_float_arithmetic(function_catalog& catalog);
void register_numeric_arithmetic(function_catalog& catalog);

} // namespace ebb
