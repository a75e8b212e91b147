/// Base64 (RFC 4648 §4, with padding): how JSON and CSV carry BYTEA.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ebb {

[[nodiscard]] constexpr std::size_t base64_encoded_size(std::size_t bytes) noexcept {
  return (bytes + 2) / 3 * 4;
}

[[nodiscard]] constexpr std::size_t base64_decoded_max(std::size_t text) noexcept {
  return text / 4 * 3 + 3;
}

/// Writes base64_encoded_size(bytes.size()) characters to `out`; returns the end.
char* base64_encode(std::string_view bytes, char* out) noexcept;

/// Writes up to base64_decoded_max bytes; returns how many, or nothing when `text` is not base64.
[[nodiscard]] std::optional<std::size_t> base64_decode(std::string_view text, char* out) noexcept;

} // namespace ebb
