/// Text of every SQL value, as PostgreSQL reads and writes it; used by casts and connectors.
///
/// Pure functions; any thread. Parse errors have PostgreSQL's text and kind `ec::evaluation`.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

/// Appends PostgreSQL's text of value i (not NULL), as a cast to text gives it: booleans
/// `true`/`false` (`t`/`f` inside arrays), bytea as `\x…`, doubles shortest that read back equal,
/// arrays `{1,2}`.
void append_value_text(const column& x, std::uint32_t i, std::string& out);

/// Appends bytes in PostgreSQL's hex form, `\x6869`.
void append_bytea(std::string_view bytes, std::string& out);

/// Appends one value: the shortest text that reads back equal, in PostgreSQL's form (`1e+20`,
/// `0.1`, `-0`, `NaN`, `Infinity`).
void append_double(double x, std::string& out);
void append_real(float x, std::string& out);

/// Reads one value from text by PostgreSQL's input rules into row i of a column under construction
/// (from make_column / make_numeric_column). Not for TEXT, BYTEA and arrays, whose bytes need a
/// builder: see `parse_bytea`, `parse_literal`.
[[nodiscard]] result<void> parse_value_text(std::string_view text, column& x, std::uint32_t i);

/// Each reads one value; surrounding white space is allowed, as in PostgreSQL.
[[nodiscard]] result<void> parse_bigint(std::string_view text, std::int64_t& out);
[[nodiscard]] result<void> parse_double(std::string_view text, double& out);
[[nodiscard]] result<void> parse_boolean(std::string_view text, bool& out);
/// PostgreSQL's hex (`\x6869`) or escape form; the bytes replace `out`.
[[nodiscard]] result<void> parse_bytea(std::string_view text, std::string& out);

/// A 1-row constant column of `type` from PostgreSQL input text (all types, text and arrays too).
/// A VARCHAR(n) is cut to n characters. Arrays have one dimension.
[[nodiscard]] result<column> parse_literal(std::string_view text, const sql_type& type);

} // namespace ebb
