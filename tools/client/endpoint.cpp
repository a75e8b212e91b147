#include "tools/client/endpoint.hpp"

#include <algorithm>
#include <charconv>

namespace ebb::client {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t ebb_port = 8181;

error wrong(std::string_view text, const std::string& why) {
  return make_error(ec::invalid_argument,
                    "invalid address of a service \"" + std::string(text) + "\": " + why,
                    "write http://HOST:PORT or https://HOST:PORT");
}

bool is_unreserved(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
         || c == '.' || c == '_' || c == '~';
}

bool starts_with_ignoring_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size()
         && std::equal(with.begin(), with.end(), text.begin(),
                       [](char a, char b) { return a == (b >= 'A' && b <= 'Z' ? b + 32 : b); });
}

} // namespace

result<endpoint> parse_endpoint(std::string_view text) {
  endpoint out;
  auto rest = text;
  out.port = ebb_port;
  if (starts_with_ignoring_case(rest, "http://")) {
    rest.remove_prefix(7);
    out.port = http_port;
  } else if (starts_with_ignoring_case(rest, "https://")) {
    rest.remove_prefix(8);
    out.port = https_port;
    out.tls = true;
  } else if (rest.find("://") != std::string_view::npos) {
    return wrong(text, "the scheme is neither http nor https");
  }
  if (rest.find_first_of("?#@ \t\r\n") != std::string_view::npos)
    return wrong(text, "it has a part besides scheme, host, port and path");
  const auto slash = rest.find('/');
  if (slash != std::string_view::npos) {
    out.base = rest.substr(slash);
    out.base.erase(out.base.find_last_not_of('/') + 1);
    rest = rest.substr(0, slash);
  }
  auto port = std::string_view{};
  if (!rest.empty() && rest[0] == '[') {
    const auto end = rest.find(']');
    if (end == std::string_view::npos)
      return wrong(text, "a bracket is open");
    out.host = rest.substr(1, end - 1);
    port = rest.substr(end + 1);
  } else {
    const auto colon = rest.find(':');
    if (colon != std::string_view::npos && rest.find(':', colon + 1) != std::string_view::npos)
      return wrong(text, "an IPv6 address needs brackets");
    out.host = rest.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : rest.substr(colon);
  }
  if (out.host.empty())
    return wrong(text, "there is no host");
  if (port.empty())
    return out;
  port.remove_prefix(1);
  const auto [stop, problem] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (problem != std::errc{} || stop != port.data() + port.size() || out.port == 0)
    return wrong(text, "the port is no number from 1 to 65535");
  return out;
}

std::string authority_of(const endpoint& x) {
  const bool colons = x.host.find(':') != std::string::npos;
  return (colons ? '[' + x.host + ']' : x.host) + ':' + std::to_string(x.port);
}

std::string url_of(const endpoint& x) {
  return (x.tls ? "https://" : "http://") + authority_of(x) + x.base;
}

bool is_loopback(const endpoint& x) noexcept {
  return x.host == "localhost" || x.host == "::1"
         || (x.host.rfind("127.", 0) == 0
             && x.host.find_first_not_of("0123456789.") == std::string::npos);
}

std::string percent_encoded(std::string_view text) {
  constexpr const char* digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_unreserved(c))
      out += c;
    else
      (out += '%').append({digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}

} // namespace ebb::client
