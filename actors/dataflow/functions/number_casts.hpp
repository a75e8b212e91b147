/// The families of `register_number_casts`, one file each.
#pragma once

#include "actors/dataflow/functions/number_kernel.hpp"

namespace ebb {

void register_plain_number_casts(function_catalog& catalog); ///< integers, floats, boolean
void register_numeric_casts(function_catalog& catalog);      ///< from and to NUMERIC

/// Registers a cast.
inline void add_cast(function_catalog& catalog, type_kind from, type_kind to, cast_context context,
                     kernel run, bool may_fail) {
  auto f = make_function("cast", {from}, to, run, may_fail);
  f.cast = context;
  catalog.add(std::move(f));
}

} // namespace ebb
