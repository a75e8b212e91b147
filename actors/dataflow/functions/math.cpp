#include "actors/dataflow/functions/math.hpp"

namespace ebb {

void register_math(function_catalog& catalog) {
  register_integer_math(catalog);
  register_numeric_rounding(catalog);
  register_numeric_math(catalog);
  register_float_math(catalog);
  register_trigonometry(catalog);
}

} // namespace ebb
