/// Type names of SQL as ebb's types.
#pragma once

#include "actors/plan/sql/ast.hpp"
#include "actors/plan/sql/place.hpp"

namespace ebb::sql {

/// What a cast may say beyond ebb's types.
struct cast_modifiers {
  std::int32_t fields = 0;  ///< mask of `INTERVAL '5' MINUTE`; 0 = none
  std::int32_t digits = -1; ///< of the fraction of seconds, 0 to 6; -1 = not said
  sql_type element;         ///< of an array, with length, precision and scale
};

/// A TypeName node as a type with modifiers. What a type cannot carry goes to `more`; when that is
/// null, such a type is refused.
[[nodiscard]] result<sql_type> type_of_name(const sql_text& text, const ast& type_name,
                                            cast_modifiers* more = nullptr);

/// An array of arrays is refused here.
[[nodiscard]] error several_dimensions(const sql_text& text, std::int32_t offset);

/// PostgreSQL's internal name of a type as a column name: `int8` for `bigint`.
[[nodiscard]] std::string_view last_name(const ast& type_name);

} // namespace ebb::sql
