/// Type names of SQL as ebb's types.
#pragma once

#include "actors/plan/sql/ast.hpp"
#include "actors/plan/sql/place.hpp"

namespace ebb::sql {

/// A TypeName node as a type with modifiers. For INTERVAL with fields (`INTERVAL '5' MINUTE`) the
/// mask of the fields goes to `interval_fields` (0 = none) when that is not null; otherwise such a
/// type is refused.
[[nodiscard]] result<sql_type> type_of_name(const sql_text& text, const ast& type_name,
                                            std::int32_t* interval_fields = nullptr);

/// PostgreSQL's internal name of a type as a column name: `int8` for `bigint`.
[[nodiscard]] std::string_view last_name(const ast& type_name);

} // namespace ebb::sql
