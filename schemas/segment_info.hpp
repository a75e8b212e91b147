/// What a checkpoint record says about one segment file.
#pragma once

#include <cstdint>
#include <string>

namespace ebb {

/// XXH3-128 of some bytes. Guards against damage, not against an attacker.
struct digest128 {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  bool operator==(const digest128&) const = default;
};

/// 32 hexadecimal digits.
[[nodiscard]] std::string to_string(const digest128& x);

enum class segment_kind : std::uint8_t {
  delta,  ///< changes of one epoch
  base,   ///< merged state of a range of key groups
  output, ///< rows for sinks, applied after the commit
};

[[nodiscard]] const char* to_string(segment_kind kind) noexcept;

/// Names one finished segment and tells it from any other file. Nothing in it ever changes.
struct segment_info {
  std::string id; ///< file name, without a folder
  segment_kind kind = segment_kind::delta;
  std::uint64_t epoch = 0;   ///< the epoch that wrote it; of a base: the newest one merged into it
  std::uint64_t bytes = 0;   ///< of the file
  digest128 digest;          ///< hash of the trailer, which holds the hashes of all other bytes
  std::uint64_t entries = 0; ///< puts, erases and erased prefixes
  std::uint16_t first_key_group = 0;
  std::uint16_t last_key_group = 0; ///< inclusive

  bool operator==(const segment_info&) const = default;
};

} // namespace ebb
