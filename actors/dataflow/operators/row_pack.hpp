/// Rows as bytes, column by column: how one state entry holds many rows.
///
/// A pack: u32 number of rows, u16 number of columns, the rows' sequences as integers; then each
/// column: its type_kind, its form, validity bits where the form says so, its values. Integers are
/// the least one (i64) and the differences to it, as wide as the largest needs (0, 1, 2, 4 or 8
/// bytes, little-endian); text is its lengths as integers, then the bytes; what fits neither is one
/// value after the other (value_builder.hpp). Arrays come as row_store keeps them: BYTEA.
#pragma once

#include "actors/dataflow/operators/pack_bytes.hpp"
#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ebb {

/// Appends the beginning of a pack of `columns` columns.
void begin_pack(std::span<const std::uint64_t> sequences, std::size_t columns, pack_bytes& out);

/// Appends its next column: values [first, first + count).
void append_pack_column(const column& x, std::uint32_t first, std::uint32_t count,
                        pack_bytes& out);

/// Numbers of states whose entries hold packs, and of those that say which of their rows are gone
/// (saved_blocks.hpp): an operator's rows number n have the states `gone_states + n` and
/// `row_states + n`, where n is less than 4. No other state has a number from 8 to 15.
inline constexpr std::uint16_t gone_states = 8;
inline constexpr std::uint16_t row_states = 12;

[[nodiscard]] constexpr bool holds_packs(std::uint16_t state) noexcept {
  return state >= row_states && state < row_states + 4;
}

[[nodiscard]] constexpr bool says_what_is_gone(std::uint16_t state) noexcept {
  return state >= gone_states && state < gone_states + 4;
}

struct row_pack {
  std::vector<std::uint64_t> sequences;
  batch rows; ///< owns its bytes; the types have no modifiers
};

/// Reads one pack from the front of `bytes` and removes it. Error: corrupt bytes.
[[nodiscard]] result<row_pack> take_pack(std::string_view& bytes);

} // namespace ebb
