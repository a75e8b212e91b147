/// Times as the first bytes of state keys: eight bytes whose order is the order of the times.
#pragma once

#include "schemas/error.hpp"
#include "schemas/types.hpp"

#include <string>
#include <string_view>

namespace ebb {

inline void append_time_key(micros time, std::string& out) {
  const auto bits = static_cast<std::uint64_t>(time) ^ (std::uint64_t{1} << 63);
  for (int shift = 56; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(static_cast<unsigned char>(bits >> shift)));
}

/// The first bytes of a pane's or window's keys.
[[nodiscard]] inline std::string pane_prefix(micros end, micros start) {
  std::string prefix;
  append_time_key(end, prefix);
  append_time_key(start, prefix);
  return prefix;
}

/// Reads a time from the front of `bytes` and removes it.
[[nodiscard]] inline result<micros> take_time_key(std::string_view& bytes) {
  if (bytes.size() < 8)
    return make_error(ec::corrupt, "a state key is too short for its time");
  std::uint64_t bits = 0;
  for (std::size_t i = 0; i < 8; ++i)
    bits = bits << 8 | static_cast<unsigned char>(bytes[i]);
  bytes.remove_prefix(8);
  return static_cast<micros>(bits ^ (std::uint64_t{1} << 63));
}

} // namespace ebb
