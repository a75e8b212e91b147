/// The canonical key encoding, version 1: bytes whose order is SQL's order and whose equality is
/// SQL's equality of keys (NULL = NULL, 1.0 = 1.00, -0.0 = 0.0, NaN = NaN; NULL first).
///
/// One encoding feeds equality, hashing and storage order. Each value starts with a tag byte (0 =
/// NULL, 1 = value); fixed-width integers and times are big-endian with the sign bit flipped;
/// floats as order-preserving bits after normalising -0.0 and NaN; text and bytea with 0x00 escaped
/// as 0x00 0xff and ended by 0x00 0x00; NUMERIC as sign, exponent and base-100 digits without
/// trailing zeros; INTERVAL as its comparison value (30-day months), arrays element by element;
/// JSONB as its text with each number without trailing zeros, which has equality but not the order.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ebb {

class value_builder;

inline constexpr std::uint8_t key_encoding_version = 1;

/// Appends the encoding of value i of `x` to `out`.
void encode_key_value(const column& x, std::uint32_t i, std::string& out);

/// Reads one value from the front of `bytes` (and removes it) into a 1-row column that compares
/// equal to the one encoded (scale and -0.0 are not kept).
[[nodiscard]] result<column> decode_key_value(std::string_view& bytes, const sql_type& type);

/// The same, appended to a column under construction of the key's type.
[[nodiscard]] result<void> decode_key_value(std::string_view& bytes, value_builder& to);

/// 64-bit hash of each row's key, equal for equal keys whatever their representation. Stable across
/// processes and versions: rescaling and stored segments rely on it.
void hash_keys(std::span<const column* const> keys, std::uint32_t rows, std::uint64_t* hashes);

/// Key group of a hash: the high bits, so that the low ones can index the group's table.
[[nodiscard]] constexpr std::uint16_t key_group_of(std::uint64_t hash,
                                                   std::uint16_t groups) noexcept {
  return static_cast<std::uint16_t>(((hash >> 32) * groups) >> 32);
}

} // namespace ebb
