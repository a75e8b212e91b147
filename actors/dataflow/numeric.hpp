/// NUMERIC values: exact decimals with PostgreSQL 15's rules.
///
/// Fast path: a 128-bit unscaled integer and a decimal scale. Values that do not fit become big
/// (arbitrary precision); a column mixes both (numeric_tag::big).
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

/// One NUMERIC as a value: for parsing, formatting, tests and slow paths. Kernels work on columns.
class numeric;

/// PostgreSQL's text of value i: `12.50`, `NaN`, `Infinity`. Appends to `out`.
void append_numeric(const column& x, std::uint32_t i, std::string& out);

/// Parses PostgreSQL's input syntax (sign, digits, point, exponent, NaN, Infinity) into row i of a
/// column under construction made by `make_numeric_column`, applying `x.type`'s precision and
/// scale. Errors have PostgreSQL's text: `invalid input syntax for type numeric: "x"`, `numeric
/// field overflow`.
[[nodiscard]] result<void> parse_numeric(std::string_view text, column& x, std::uint32_t i);

/// A NUMERIC column with a scale a value, all zero; set values with `set_numeric`.
[[nodiscard]] column make_numeric_column(sql_type type, std::uint32_t rows);
void set_numeric(column& x, std::uint32_t i, int128 unscaled, std::int16_t scale);

/// Three-way comparison by value; NaN is equal to NaN and larger than everything.
[[nodiscard]] int compare_numeric(const column& a, std::uint32_t i, const column& b,
                                  std::uint32_t k);

/// Nearest double (correctly rounded).
[[nodiscard]] double numeric_to_double(const column& x, std::uint32_t i);

} // namespace ebb
