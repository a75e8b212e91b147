#include "actors/connectors/json_escape.hpp"

#include "actors/connectors/file_scan.hpp"

#include <cstring>

namespace ebb {

namespace {

bool needs_escape(char c) noexcept {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20;
}

char short_escape(char c) noexcept {
  switch (c) {
  case '"':
  case '\\':
    return c;
  case '\b':
    return 'b';
  case '\f':
    return 'f';
  case '\n':
    return 'n';
  case '\r':
    return 'r';
  case '\t':
    return 't';
  default:
    return '\0';
  }
}

} // namespace

std::size_t plain_json_prefix(std::string_view text) noexcept {
  std::size_t i = 0;
#if EBB_SCAN_SSE
  // Text of a column may end at the end of its memory, so only whole blocks are loaded.
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1f);
  for (; i + 16 <= text.size(); i += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + i));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (hits != 0)
      return i + static_cast<std::size_t>(std::countr_zero(hits));
  }
#endif
  while (i < text.size() && !needs_escape(text[i]))
    ++i;
  return i;
}

char* write_json_string(std::string_view text, char* out) noexcept {
  constexpr const char* digits = "0123456789abcdef";
  *out++ = '"';
  for (;;) {
    const auto plain = plain_json_prefix(text);
    std::memcpy(out, text.data(), plain);
    out += plain;
    if (plain == text.size())
      break;
    const char c = text[plain];
    *out++ = '\\';
    if (const char letter = short_escape(c); letter != '\0') {
      *out++ = letter;
    } else {
      std::memcpy(out, "u00", 3);
      out[3] = digits[static_cast<unsigned char>(c) >> 4];
      out[4] = digits[static_cast<unsigned char>(c) & 15];
      out += 5;
    }
    text.remove_prefix(plain + 1);
  }
  *out++ = '"';
  return out;
}

void append_json_string(std::string_view text, std::string& out) {
  const auto before = out.size();
  out.resize(before + json_string_max(text.size()));
  const char* end = write_json_string(text, out.data() + before);
  out.resize(static_cast<std::size_t>(end - out.data()));
}

} // namespace ebb
