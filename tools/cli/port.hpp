/// Ports of addresses that people write.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace ebb::cli {

/// 0 to 65535 in digits; nothing where it is none.
[[nodiscard]] inline std::optional<std::uint16_t> parse_port(const std::string& text) {
  if (text.empty() || text.size() > 5 || text.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const auto number = std::stoul(text);
  return number > UINT16_MAX ? std::nullopt : std::optional(static_cast<std::uint16_t>(number));
}

} // namespace ebb::cli
