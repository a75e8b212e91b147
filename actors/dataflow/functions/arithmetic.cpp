#include "actors/dataflow/functions/arithmetic.hpp"

namespace ebb {

void register_arithmetic(function_catalog& catalog) {
  register_integer_arithmetic(catalog);
  register_float_arithmetic(catalog);
  register_numeric_arithmetic(catalog);
  register_bit_operators(catalog);
}

} // namespace ebb
