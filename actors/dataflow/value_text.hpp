/// Text of every SQL value, as PostgreSQL reads and writes it; used by casts and connectors.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

/// Appends PostgreSQL's output text of value i (not NULL): booleans `t`/`f` as its text cast gives
/// `true`/`false`, bytea as `\x…`, doubles shortest that read back equal, arrays `{1,2}`.
void append_value_text(const column& x, std::uint32_t i, std::string& out);

/// Reads one value from text by PostgreSQL's input rules into row i of a column under construction
/// (from make_column / make_numeric_column; text values are copied into the column's heap by
/// `text_builder` instead and not handled here). Errors have PostgreSQL's text.
[[nodiscard]] result<void> parse_value_text(std::string_view text, column& x, std::uint32_t i);

/// A 1-row constant column of `type` from PostgreSQL input text (all types, text and arrays too).
[[nodiscard]] result<column> parse_literal(std::string_view text, const sql_type& type);

} // namespace ebb
