/// Functions that make several rows of one: unnest, generate_series and their like, in FROM or as
/// output columns. Internal to the SQL front end.
#pragma once

#include "actors/plan/sql/bind_expr.hpp"
#include "actors/plan/sql/from_item.hpp"

namespace ebb::sql {

/// The name of the function that the node calls, if it is such a one; else empty.
[[nodiscard]] std::string expanding_function(const ast& wrapped);

/// Their names.
[[nodiscard]] std::vector<std::string> expanding_functions();

/// A FuncCall of such a function; arguments are bound with `context`, which names what is left of
/// it.
[[nodiscard]] result<from_expansion> bind_expansion(const sql_text& text, const ast& call,
                                                    bind_context context);

/// Puts the function over `from`, whose FROM row it continues. `columns`: what its columns are
/// called; `relation`: its alias.
void expand(from_clause& from, from_expansion expansion, const std::string& relation,
            std::vector<std::string> columns, std::int32_t at);

} // namespace ebb::sql
