/// UTF-8 helpers for text kernels. Input is valid UTF-8 (readers check it), so nothing here fails.
#pragma once

#include "actors/dataflow/functions/byte_blocks.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ebb::utf8 {

/// No byte above 0x7f.
[[nodiscard]] inline bool is_ascii(std::string_view text) noexcept {
  const char* p = text.data();
  std::size_t n = text.size();
  std::uint64_t high = 0;
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, p, 8);
    high |= word;
  }
  for (; n != 0; --n, ++p)
    high |= static_cast<unsigned char>(*p);
  return (high & 0x8080808080808080U) == 0;
}

[[nodiscard]] inline bool is_continuation(char byte) noexcept {
  return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

/// Characters (code points).
[[nodiscard]] inline std::uint32_t length(std::string_view text) noexcept {
  std::uint32_t count = 0;
  for_each_block(text, byte_starts_character{}, [&](std::size_t, std::uint32_t bits) {
    count += static_cast<std::uint32_t>(std::popcount(bits));
    return true;
  });
  return count;
}

/// Bytes of the character that starts with `lead`.
[[nodiscard]] inline std::size_t width(char lead) noexcept {
  const auto c = static_cast<unsigned char>(lead);
  return c < 0x80 ? 1U : c < 0xe0 ? 2U : c < 0xf0 ? 3U : 4U;
}

/// Bytes of the first `count` characters, at most all.
[[nodiscard]] inline std::size_t prefix(std::string_view text, std::size_t count) noexcept {
  const auto head = text.substr(0, count);
  if (is_ascii(head))
    return head.size();
  std::size_t at = 0;
  while (count != 0 && at < text.size()) {
    at += width(text[at]);
    --count;
  }
  return at < text.size() ? at : text.size();
}

/// Bytes before the last `count` characters; 0 when there are not so many.
[[nodiscard]] inline std::size_t before_suffix(std::string_view text, std::size_t count) noexcept {
  std::size_t at = text.size();
  while (count != 0 && at != 0) {
    --at;
    while (at != 0 && is_continuation(text[at]))
      --at;
    --count;
  }
  return at;
}

/// Decodes the character at `at` and moves `at` behind it. `at` is less than the size.
[[nodiscard]] inline char32_t next(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t k) -> char32_t {
    return at + k < text.size() ? static_cast<unsigned char>(text[at + k]) : 0U;
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) {
    ++at;
    return lead;
  }
  char32_t code = 0;
  std::size_t size = 0;
  if (lead < 0xe0) {
    code = ((lead & 0x1f) << 6) | (byte(1) & 0x3f);
    size = 2;
  } else if (lead < 0xf0) {
    code = ((lead & 0x0f) << 12) | ((byte(1) & 0x3f) << 6) | (byte(2) & 0x3f);
    size = 3;
  } else {
    code = ((lead & 0x07) << 18) | ((byte(1) & 0x3f) << 12) | ((byte(2) & 0x3f) << 6)
           | (byte(3) & 0x3f);
    size = 4;
  }
  at = at + size < text.size() ? at + size : text.size();
  return code;
}

/// Writes the character to `out` (room for 4 bytes) and returns its size.
inline std::size_t encode(char32_t code, char* out) noexcept {
  const auto put = [&](std::size_t k, char32_t bits) {
    out[k] = static_cast<char>(static_cast<unsigned char>(bits));
  };
  if (code < 0x80) {
    put(0, code);
    return 1;
  }
  if (code < 0x800) {
    put(0, 0xc0 | (code >> 6));
    put(1, 0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    put(0, 0xe0 | (code >> 12));
    put(1, 0x80 | ((code >> 6) & 0x3f));
    put(2, 0x80 | (code & 0x3f));
    return 3;
  }
  put(0, 0xf0 | (code >> 18));
  put(1, 0x80 | ((code >> 12) & 0x3f));
  put(2, 0x80 | ((code >> 6) & 0x3f));
  put(3, 0x80 | (code & 0x3f));
  return 4;
}

/// Where well-formed UTF-8 without NUL bytes, which is what a text value may hold, ends: the size,
/// or the first byte of what is no character.
[[nodiscard]] inline std::size_t valid_prefix(std::string_view text) noexcept {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x80) {
      if (lead == 0)
        return i;
      ++i;
      continue;
    }
    const std::size_t size = width(text[i]);
    if (lead < 0xc2 || lead > 0xf4 || text.size() - i < size)
      return i;
    for (std::size_t k = 1; k < size; ++k)
      if (!is_continuation(text[i + k]))
        return i;
    std::size_t at = i;
    const char32_t code = next(text, at);
    if ((size == 3 && code < 0x800) || (size == 4 && (code < 0x10000 || code > 0x10ffff))
        || (code >= 0xd800 && code < 0xe000))
      return i;
    i += size;
  }
  return i;
}

[[nodiscard]] inline bool is_valid_text(std::string_view text) noexcept {
  return valid_prefix(text) == text.size();
}

inline void append(char32_t code, std::string& out) {
  char bytes[4];
  out.append(bytes, encode(code, bytes));
}

} // namespace ebb::utf8
