/// Text of a person's file as it may be shown to that person.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace ebb {

/// Length of the UTF-8 character at `text[i]`, 0 when it is none.
[[nodiscard]] inline std::size_t utf8_length(std::string_view text, std::size_t i) noexcept {
  const auto byte = [&](std::size_t k) {
    return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
  };
  const auto tail = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  const auto first = byte(i);
  if (first < 0x80)
    return 1;
  if (first >= 0xC2 && first <= 0xDF)
    return tail(i + 1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const auto overlong = first == 0xE0 && byte(i + 1) < 0xA0;
    const auto surrogate = first == 0xED && byte(i + 1) > 0x9F;
    return tail(i + 1) && tail(i + 2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const auto overlong = first == 0xF0 && byte(i + 1) < 0x90;
    const auto beyond = first == 0xF4 && byte(i + 1) > 0x8F;
    return tail(i + 1) && tail(i + 2) && tail(i + 3) && !overlong && !beyond ? 4 : 0;
  }
  return 0;
}

/// Without bytes that a terminal would take for commands or that are no UTF-8 (names may hold
/// anything: `"\e[2J": 1`). Line feeds and tabs stay; characters, as counted by the bytes that do
/// not continue another, keep their number.
[[nodiscard]] inline std::string printable(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    const auto c = static_cast<unsigned char>(text[i]);
    const auto control = (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
    if (length == 0 || control) {
      if ((c & 0xC0U) != 0x80U)
        out += "\xEF\xBF\xBD";
      ++i;
      continue;
    }
    out += text.substr(i, length);
    i += length;
  }
  return out;
}

} // namespace ebb
