/// JSONB's functions, operators and casts.
#pragma once

#include "actors/dataflow/functions/text_kernel.hpp"

namespace ebb {

void register_jsonb_access(function_catalog& catalog); ///< -> ->> #> #>> @> ? …
void register_jsonb_make(function_catalog& catalog);   ///< to_jsonb, jsonb_build_object …
void register_jsonb_edit(function_catalog& catalog);   ///< || - #- jsonb_set
void register_jsonb_casts(function_catalog& catalog);  ///< to numbers and BOOLEAN

} // namespace ebb
