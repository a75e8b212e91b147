/// JSON's grammar (RFC 8259) over one record that ends with a line feed: the pieces that a reader
/// needs. Functions return the place behind what they read, or null and an explanation.
#pragma once

#include "actors/connectors/file_scan.hpp"

#include <cstddef>
#include <string>

namespace ebb::json {

/// Values may be nested so deep.
inline constexpr int depth_max = 512;

/// What is wrong, and where.
struct complaint {
  const char* at = nullptr;
  std::string message; ///< `expected a colon, found …`
};

/// Sets `problem` and returns null.
const char* complain(complaint& problem, const char* at, const char* expected);

[[nodiscard]] inline const char* skip_space(const char* p) noexcept {
  while (*p == ' ' || *p == '\t' || *p == '\r')
    ++p;
  return p;
}

/// The end of the number at `p`, or null when there is none of correct grammar.
[[nodiscard]] const char* number_end(const char* p) noexcept;

/// A string's bytes between the quotes, still escaped when `escaped`.
struct raw_string {
  const char* begin = nullptr;
  const char* end = nullptr;
  bool escaped = false;

  [[nodiscard]] std::size_t size() const noexcept {
    return static_cast<std::size_t>(end - begin);
  }
};

/// Reads a string; `p` is its opening quote. Sets `high` when a byte above 127 may be in it.
[[nodiscard]] const char* read_string(const char* p, raw_string& out, bool& high,
                                      complaint& problem);

/// Writes the meaning of an escaped string to `to` (x.size() bytes of room) and its length to
/// `size`. Null when it holds U+0000 or half a surrogate pair, which are no text.
[[nodiscard]] const char* unescape(const raw_string& x, char* to, std::size_t& size,
                                   complaint& problem) noexcept;

/// Passes over any value, checking it. `p` is its first byte.
[[nodiscard]] const char* skip_value(const char* p, bool& high, complaint& problem, int depth = 0);

} // namespace ebb::json
