/// PostgreSQL's parser behind one function.
#pragma once

#include "actors/plan/sql/ast.hpp"
#include "actors/plan/sql/place.hpp"

namespace ebb::sql {

/// SQL of one query or schema is at most this long.
inline constexpr std::size_t max_sql_bytes = std::size_t{1} << 20;
/// Parse trees are at most about this deep (an operator and its operand count 2): the parser's own
/// printer is recursive.
inline constexpr std::size_t max_parse_depth = 8192;

/// The parse tree of exactly one statement: its tagged node. Safe for any bytes.
[[nodiscard]] result<ast> parse_statement(const sql_text& text);

} // namespace ebb::sql
