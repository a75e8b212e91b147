/// Key values as machine words: what hashing and the word-compared tables share.
#pragma once

#include "schemas/column.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace ebb {

/// Word that stands for NULL while hashing (tables keep NULLs apart by a bit).
inline constexpr std::uint64_t null_word = 0x6E756C6C6B657921U;

/// Types whose values are at most 8 bytes and are equal exactly when their words are.
[[nodiscard]] constexpr bool is_word_type(type_kind kind) noexcept {
  switch (kind) {
  case type_kind::boolean:
  case type_kind::smallint:
  case type_kind::integer:
  case type_kind::bigint:
  case type_kind::real:
  case type_kind::double_precision:
  case type_kind::date:
  case type_kind::timestamp:
  case type_kind::timestamptz:
    return true;
  default:
    return false;
  }
}

/// A full mix of 64 bits: every bit of the result depends on every bit of `x`. Part of the stable
/// key hash: changing it moves keys to other key groups.
[[nodiscard]] inline std::uint64_t mix_word(std::uint64_t x) noexcept {
  x ^= 0xA0761D6478BD642FU;
  const auto wide = static_cast<unsigned __int128>(x) * 0xE7037ED1A0B428DBU;
  const auto folded = static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64);
  const auto again = static_cast<unsigned __int128>(folded ^ x) * 0x8EBC6AF09C88C6E3U;
  return static_cast<std::uint64_t>(again) ^ static_cast<std::uint64_t>(again >> 64);
}

/// Bits of a float with -0.0 made 0.0 and every NaN made one.
[[nodiscard]] inline std::uint64_t canonical_bits(double x) noexcept {
  if (std::isnan(x))
    return 0x7FF8000000000000U;
  return std::bit_cast<std::uint64_t>(x == 0.0 ? 0.0 : x);
}

[[nodiscard]] inline std::uint32_t canonical_bits(float x) noexcept {
  if (std::isnan(x))
    return 0x7FC00000U;
  return std::bit_cast<std::uint32_t>(x == 0.0F ? 0.0F : x);
}

/// Microseconds with 30-day months: by this intervals are compared.
[[nodiscard]] inline int128 comparable(const interval_value& x) noexcept {
  return static_cast<int128>(x.micros)
         + (static_cast<int128>(x.months) * 30 + x.days) * micros_per_day;
}

/// Calls `body(word)` with a function that gives the canonical word of stored value k of a column
/// of a word type, so that loops are compiled once a type.
template <class Body>
void with_word_reader(const column& x, const Body& body) {
  const auto integers = [&body](const auto* values) {
    body([values](std::uint32_t k) {
      return static_cast<std::uint64_t>(static_cast<std::int64_t>(values[k]));
    });
  };
  switch (x.type.kind) {
  case type_kind::boolean:
    return integers(x.data<std::uint8_t>());
  case type_kind::smallint:
    return integers(x.data<std::int16_t>());
  case type_kind::integer:
  case type_kind::date:
    return integers(x.data<std::int32_t>());
  case type_kind::real:
    return body([values = x.data<float>()](std::uint32_t k) {
      return static_cast<std::uint64_t>(canonical_bits(values[k]));
    });
  case type_kind::double_precision:
    return body([values = x.data<double>()](std::uint32_t k) { return canonical_bits(values[k]); });
  default:
    return integers(x.data<std::int64_t>());
  }
}

} // namespace ebb
