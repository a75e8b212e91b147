#include "actors/dataflow/functions/comparison.hpp"

namespace ebb {

void register_comparison(function_catalog& catalog) {
  register_plain_comparison(catalog);
  register_numeric_comparison(catalog);
  register_text_comparison(catalog);
  register_mixed_time_comparison(catalog);
  register_array_comparison(catalog);
  register_extremes(catalog);
}

} // namespace ebb
