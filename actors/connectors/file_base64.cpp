#include "actors/connectors/file_base64.hpp"

#include <array>
#include <cstdint>

namespace ebb {

namespace {

constexpr std::string_view alphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::array<std::uint8_t, 256> values = [] {
  std::array<std::uint8_t, 256> x{};
  x.fill(0xff);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    x[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  return x;
}();

std::uint32_t byte_at(std::string_view bytes, std::size_t i) noexcept {
  return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0U;
}

} // namespace

char* base64_encode(std::string_view bytes, char* out) noexcept {
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto x = byte_at(bytes, i) << 16 | byte_at(bytes, i + 1) << 8 | byte_at(bytes, i + 2);
    *out++ = alphabet[x >> 18];
    *out++ = alphabet[(x >> 12) & 63];
    *out++ = i + 1 < bytes.size() ? alphabet[(x >> 6) & 63] : '=';
    *out++ = i + 2 < bytes.size() ? alphabet[x & 63] : '=';
  }
  return out;
}

std::optional<std::size_t> base64_decode(std::string_view text, char* out) noexcept {
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && !text.empty() && text.back() == '=') {
    text.remove_suffix(1);
    ++padding;
  }
  std::size_t count = 0;
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char c : text) {
    const auto value = values[static_cast<unsigned char>(c)];
    if (value == 0xff)
      return std::nullopt;
    bits = bits << 6 | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[count++] = static_cast<char>(bits >> held);
    }
  }
  // Bits that belong to no byte must be zero, else two texts would mean the same bytes.
  if ((bits & ((1U << held) - 1)) != 0)
    return std::nullopt;
  return count;
}

} // namespace ebb
