/// What lies in a segment: one write-once LMDB file of state changes, merged state or output.
///
/// File = LMDB's pages, the key filter, the trailer (`segment_trailer.hpp`). `segment_writer` makes
/// it, `segment_reader` reads it; docs of the bytes are there.
#pragma once

#include "schemas/segment_info.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb {

enum class entry_kind : std::uint8_t {
  put,
  erase,        ///< the key has no value any more
  erase_prefix, ///< nor have all keys that begin with it, in *older* segments
};

/// One entry, as it is written and as it is read; the views belong to the caller or the reader.
struct segment_entry {
  std::uint16_t key_group = 0;
  std::uint16_t state = 0; ///< number of the state within its stream
  std::string_view key;
  std::string_view value; ///< of puts only
  entry_kind kind = entry_kind::put;
  std::uint8_t version = 1; ///< of the value's schema
};

/// Whose state a segment is. Part of the trailer; a reader refuses another's file.
struct segment_identity {
  std::string stream_uid;
  std::uint64_t epoch = 0;
  segment_kind kind = segment_kind::delta;
  std::uint16_t key_groups = 128; ///< of the stream
  std::uint16_t first_key_group = 0;
  std::uint16_t last_key_group = 127; ///< inclusive

  bool operator==(const segment_identity&) const = default;
};

/// Longest value. Larger ones are refused when they are written.
inline constexpr std::size_t segment_value_max = std::size_t{1} << 30;

/// Unit of verification: aligned ranges of the file.
inline constexpr std::size_t segment_block_bytes = 64 * 1024;

} // namespace ebb
