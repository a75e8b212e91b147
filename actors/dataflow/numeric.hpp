/// NUMERIC values: exact decimals with PostgreSQL 15's rules.
///
/// Fast path: a 128-bit unscaled integer and a decimal scale. Values that do not fit become big
/// (arbitrary precision); a column mixes both (numeric_tag::big). The big form, in the column's
/// heap, is a sign byte (0 or 1), the scale (u16, little-endian) and the magnitude (little-endian,
/// without leading zero bytes). A value that fits 128 bits is never big, so each pair of value and
/// scale has one form.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

/// One NUMERIC as a value: for tests and slow paths (see numeric_value.hpp). Kernels work on
/// columns.
class numeric;

/// Largest scale of a value; PostgreSQL's limit.
inline constexpr int numeric_scale_max = 16'383;

/// PostgreSQL's text of value i: `12.50`, `NaN`, `Infinity`. Appends to `out`.
void append_numeric(const column& x, std::uint32_t i, std::string& out);

/// Parses PostgreSQL's input syntax (sign, digits, point, exponent, NaN, Infinity) into row i of a
/// column under construction made by `make_numeric_column`, applying `x.type`'s precision and
/// scale. Errors have PostgreSQL's text: `invalid input syntax for type numeric: "x"`, `numeric
/// field overflow`.
[[nodiscard]] result<void> parse_numeric(std::string_view text, column& x, std::uint32_t i);

/// A NUMERIC column for `set_numeric`, all values zero. With a precision in `type` every value has
/// the type's scale; without, each has its own.
[[nodiscard]] column make_numeric_column(sql_type type, std::uint32_t rows);
void set_numeric(column& x, std::uint32_t i, int128 unscaled, std::int16_t scale);
/// Sets NaN or an infinity; `tag` is of numeric_tag, not `big`.
void set_numeric_special(column& x, std::uint32_t i, std::int16_t tag);
/// Sets a value that 128 bits do not hold from its big form; the bytes are copied to the heap.
void set_numeric_big(column& x, std::uint32_t i, std::string_view bytes);
/// Copies value k of `from`, whatever its form, to row i of a column under construction.
void copy_numeric(column& x, std::uint32_t i, const column& from, std::uint32_t k);
/// Drops the scales of the rows where all rows (NULLs aside) have one scale, which makes kernels
/// faster. For a column under construction; also gives NULL rows a defined value.
void pack_scales(column& x);

/// Three-way comparison by value; NaN is equal to NaN and larger than everything.
[[nodiscard]] int compare_numeric(const column& a, std::uint32_t i, const column& b,
                                  std::uint32_t k);

/// Nearest double (correctly rounded); values beyond its range become infinite or zero.
[[nodiscard]] double numeric_to_double(const column& x, std::uint32_t i);

/// What a cast from DOUBLE (15 significant digits) or REAL (6) gives, before any typmod.
void set_numeric_from_double(column& x, std::uint32_t i, double value);
void set_numeric_from_real(column& x, std::uint32_t i, float value);

/// Rounds value k of `from` to NUMERIC(precision, scale) of `x.type` (if it has one) into row i.
/// Error: `numeric field overflow`.
[[nodiscard]] result<void> coerce_numeric(column& x, std::uint32_t i, const column& from,
                                          std::uint32_t k);

/// Value k of `a` divided by value j of `b` into row i, with PostgreSQL's scale and rounding.
/// Error: `division by zero`.
[[nodiscard]] result<void> divide_numeric(column& x, std::uint32_t i, const column& a,
                                          std::uint32_t k, const column& b, std::uint32_t j);

/// Appends bytes whose order is the order of values and which are equal for equal values (1.0 and
/// 1.00): a class byte (NaN last), exponent, base-100 digits without trailing zeros, an end mark.
void encode_numeric_key(const column& x, std::uint32_t i, std::string& out);
/// Reads one encoded value from the front of `bytes` (and removes it) into row i. Error: corrupt.
[[nodiscard]] result<void> decode_numeric_key(std::string_view& bytes, column& x, std::uint32_t i);

} // namespace ebb
