/// Where a service is: `http://127.0.0.1:8181`.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::client {

struct endpoint {
  bool tls = false;
  std::string host; ///< a name or an address, without brackets
  std::uint16_t port = 0;
  std::string base; ///< path before `/v1`, such as `/ebb` behind a proxy; no slash at the end

  bool operator==(const endpoint&) const = default;
};

inline constexpr std::string_view default_server = "http://127.0.0.1:8181";

/// `http://HOST[:PORT][/BASE]`, `https://…`; without a scheme http. Ports: 80 and 443 with a
/// scheme, 8181 without.
[[nodiscard]] result<endpoint> parse_endpoint(std::string_view text);

/// As it is written in URLs and the field Host: `[::1]:8181`.
[[nodiscard]] std::string authority_of(const endpoint& x);
[[nodiscard]] std::string url_of(const endpoint& x);

/// Whether what is sent there stays on this machine: localhost, 127.0.0.0/8, ::1.
[[nodiscard]] bool is_loopback(const endpoint& x) noexcept;

/// A path's part or a query's value with everything but letters, digits and `-._~` as %XX.
[[nodiscard]] std::string percent_encoded(std::string_view text);

} // namespace ebb::client
