/// A piece of a file's bytes on its way from the I/O pool to a parser.
#pragma once

#include "schemas/buffer.hpp"

#include <cstddef>

namespace ebb {

/// Bytes before a chunk's first one: the parser puts the unfinished record of the chunk before
/// there, so that every record lies in one piece.
inline constexpr std::size_t chunk_headroom = std::size_t{16} << 10;
/// Bytes behind a chunk's last one that may be read (vector loads) and written (a missing final
/// line feed).
inline constexpr std::size_t chunk_padding = 128;
/// Memory of one chunk: it stays in the second-level cache from the reading to the parsing.
inline constexpr std::size_t chunk_memory = std::size_t{256} << 10;

/// Bytes [begin, end) inside `memory`, with headroom before and padding behind. Text values of the
/// batches made of it point into it.
struct byte_chunk {
  buffer_ptr memory;
  char* begin = nullptr;
  char* end = nullptr;

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(end - begin);
  }

  /// Where the bytes must stop.
  [[nodiscard]] char* limit() const noexcept {
    return memory.as<char>() + memory.size() - chunk_padding;
  }
};

/// An empty chunk with room for `size` bytes at `begin`.
[[nodiscard]] inline byte_chunk make_chunk(std::size_t size) {
  byte_chunk x;
  x.memory = buffer_ptr::make(chunk_headroom + size + chunk_padding);
  x.begin = x.end = x.memory.as<char>() + chunk_headroom;
  return x;
}

/// Bytes that a chunk of the usual memory holds.
inline constexpr std::size_t chunk_size = chunk_memory - chunk_headroom - chunk_padding;

} // namespace ebb
