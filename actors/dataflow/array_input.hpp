/// Input of array values: `{1,NULL,"a b"}`.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <string_view>

namespace ebb {

/// One row; `type` is the array's. Errors have PostgreSQL's texts.
[[nodiscard]] result<column> parse_array(std::string_view text, const sql_type& type);

} // namespace ebb
