/// Files that a stream keeps in its store, as they go to it and come from it.
#pragma once

#include "schemas/segment_info.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ebb {

/// Kinds of files of a stream; each has a folder of its own.
enum class stored_area : std::uint8_t {
  segments, ///< state
  output,   ///< rows of an epoch on their way to a target
};

/// `segments`, `output`.
[[nodiscard]] constexpr const char* to_string(stored_area x) noexcept {
  return x == stored_area::segments ? "segments" : "output";
}

/// Most bytes of a file that one call carries.
inline constexpr std::uint64_t stored_piece_max = std::uint64_t{4} << 20;

/// A piece of a file that is written to the store. Pieces may come again; the last one makes the
/// file durable.
struct stored_piece {
  std::uint64_t generation = 0; ///< of the writer
  std::uint64_t total = 0;      ///< bytes of the file
  std::uint64_t offset = 0;
  std::string bytes;
  std::optional<digest128> digest; ///< of all bytes; the last piece has it

  bool operator==(const stored_piece&) const = default;
};

} // namespace ebb
