/// Pieces of bytes behind their lengths.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace ebb {

/// Takes a piece behind its length (u32 in the machine's order) off the front; nothing where the
/// bytes end before it does.
[[nodiscard]] inline std::optional<std::string_view> take_sized(std::string_view& bytes) noexcept {
  std::uint32_t size = 0;
  if (bytes.size() < sizeof size)
    return std::nullopt;
  std::memcpy(&size, bytes.data(), sizeof size);
  bytes.remove_prefix(sizeof size);
  if (bytes.size() < size)
    return std::nullopt;
  const auto piece = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return piece;
}

} // namespace ebb
