/// SQL types as ebb knows them: PostgreSQL's names and meaning.
#pragma once

#include <cstdint>
#include <string>

namespace ebb {

enum class type_kind : std::uint8_t {
  unknown, ///< an untyped literal or NULL before the binder has given it a type
  boolean,
  smallint,
  integer,
  bigint,
  real,
  double_precision,
  numeric,
  text, ///< TEXT and VARCHAR
  bytea,
  date,
  timestamp,
  timestamptz,
  interval,
  array, ///< of `sql_type::element`
  jsonb, ///< canonical text (dataflow/jsonb.hpp)
};

/// A SQL type with its modifiers. A value type.
struct sql_type {
  type_kind kind = type_kind::unknown;
  type_kind element = type_kind::unknown; ///< element type of an array
  std::int16_t precision = 0;             ///< NUMERIC(p, s): p from 1 to 38; 0 = without bounds
  std::int16_t scale = 0;                 ///< NUMERIC(p, s): s
  std::int32_t length = 0;                ///< VARCHAR(n): n characters; 0 = without bound

  bool operator==(const sql_type&) const = default;

  /// Array of this type.
  [[nodiscard]] sql_type array_of() const noexcept {
    return sql_type{type_kind::array, kind};
  }

  /// Type of the elements of this array.
  [[nodiscard]] sql_type element_type() const noexcept {
    return sql_type{element};
  }
};

/// PostgreSQL's name: `bigint`, `numeric(10,2)`, `timestamp without time zone`, `text[]`.
[[nodiscard]] std::string to_string(const sql_type& type);
[[nodiscard]] const char* to_string(type_kind kind) noexcept;

/// Bytes of one value in a column's `values` buffer: 1 for BOOLEAN, 16 for NUMERIC, INTERVAL and
/// text references; arrays store 4-byte offsets.
[[nodiscard]] std::size_t value_width(type_kind kind) noexcept;

/// Values are text_refs.
[[nodiscard]] constexpr bool holds_text(type_kind kind) noexcept {
  return kind == type_kind::text || kind == type_kind::bytea || kind == type_kind::jsonb
         || kind == type_kind::unknown;
}

/// Microseconds since 1970-01-01T00:00:00 UTC. The unit of every time in the data plane.
using micros = std::int64_t;

inline constexpr micros micros_per_second = 1'000'000;
inline constexpr micros micros_per_day = 86'400 * micros_per_second;

/// Watermark before any row: no promise. TIMESTAMP '-infinity' has the same value.
inline constexpr micros min_time = INT64_MIN;
/// Watermark after the last row. TIMESTAMP 'infinity' has the same value.
inline constexpr micros max_time = INT64_MAX;

/// INTERVAL's three parts, kept apart as PostgreSQL does; compared as 30-day months, 24-hour days.
struct interval_value {
  std::int64_t micros = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;

  bool operator==(const interval_value&) const = default;
};

using int128 = __int128;

/// Values of `column::scales` that are no scale.
namespace numeric_tag {
inline constexpr std::int16_t nan = -1;
inline constexpr std::int16_t plus_infinity = -2;
inline constexpr std::int16_t minus_infinity = -3;
/// The unscaled value does not fit 128 bits: the 16 bytes hold a `text_ref` to the value's
/// canonical big form (see dataflow/numeric.hpp), owned by the column's heap.
inline constexpr std::int16_t big = -4;
} // namespace numeric_tag

} // namespace ebb
