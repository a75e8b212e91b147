#include "actors/dataflow/function.hpp"
#include "actors/dataflow/functions/array_kernel.hpp"
#include "actors/dataflow/functions/jsonb_functions.hpp"

namespace ebb {

const function_catalog& builtin_functions() {
  static const function_catalog catalog = [] {
    function_catalog all;
    register_arithmetic(all);
    register_comparison(all);
    register_math(all);
    register_number_casts(all);
    register_text(all);
    register_pattern(all);
    register_text_casts(all);
    register_time(all);
    register_time_casts(all);
    register_array(all);
    register_array_casts(all);
    register_array_comparisons(all);
    register_jsonb_access(all);
    register_jsonb_make(all);
    register_jsonb_edit(all);
    register_jsonb_casts(all);
    return all;
  }();
  return catalog;
}

} // namespace ebb
