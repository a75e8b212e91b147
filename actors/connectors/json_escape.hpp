/// JSON strings, for writing.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ebb {

/// Most bytes that write_json_string writes for `size` bytes of text.
[[nodiscard]] constexpr std::size_t json_string_max(std::size_t size) noexcept {
  return 6 * size + 2;
}

/// How many bytes from `text` on need no escape.
[[nodiscard]] std::size_t plain_json_prefix(std::string_view text) noexcept;

/// Writes `text` (UTF-8) in quotes, escaped; returns the end.
char* write_json_string(std::string_view text, char* out) noexcept;

void append_json_string(std::string_view text, std::string& out);

} // namespace ebb
