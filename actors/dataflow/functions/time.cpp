#include "actors/dataflow/functions/time_kernel.hpp"

namespace ebb {

void register_time(function_catalog& catalog) {
  time_kernel::register_time_extract(catalog);
  time_kernel::register_time_truncate(catalog);
  time_kernel::register_time_arithmetic(catalog);
  time_kernel::register_interval(catalog);
  time_kernel::register_time_make(catalog);
  time_kernel::register_time_zone(catalog);
  time_kernel::register_time_precision(catalog);
  time_kernel::register_time_format(catalog);
  time_kernel::register_number_format(catalog);
}

} // namespace ebb
