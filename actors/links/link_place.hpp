/// Addresses and ports as people write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ebb {

/// Where a server of links listens for other machines.
struct link_place {
  std::string address; ///< digits, or a name that resolves
  std::uint16_t port = 0;
};

/// 0 to 65535 in digits; nothing where it is none.
[[nodiscard]] inline std::optional<std::uint16_t> parse_port(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const auto number = std::stoul(text);
  return number > UINT16_MAX ? std::nullopt : std::optional(static_cast<std::uint16_t>(number));
}

/// HOST:PORT; nothing where it is none.
[[nodiscard]] inline std::optional<link_place> parse_place(const std::string& text) {
  const auto colon = text.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_port(text.substr(colon + 1));
  if (!port)
    return std::nullopt;
  return link_place{text.substr(0, colon), *port};
}

} // namespace ebb
