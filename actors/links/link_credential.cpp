#include "actors/links/link_credential.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace ebb {

namespace {

constexpr std::string_view scheme = "ebb://";

bool is_plain(std::string_view x) {
  return !x.empty() && std::all_of(x.begin(), x.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
           || c == '.' || c == '_';
  });
}

} // namespace

std::string uri_of(const link_credential& x) {
  if (!is_plain(x.worker))
    return {};
  auto uri = std::string(scheme) + x.worker;
  if (x.uid.empty())
    return uri;
  if (!is_plain(x.name_space) || !is_plain(x.uid))
    return {};
  return uri + '/' + x.name_space + '/' + x.uid + '/' + std::to_string(x.placement);
}

std::optional<link_credential> parse_credential(std::string_view uri) {
  if (!uri.starts_with(scheme))
    return std::nullopt;
  uri.remove_prefix(scheme.size());
  std::array<std::string_view, 4> parts;
  std::size_t count = 0;
  for (;;) {
    if (count == parts.size())
      return std::nullopt;
    const auto end = std::min(uri.find('/'), uri.size());
    parts[count] = uri.substr(0, end);
    if (!is_plain(parts[count++]))
      return std::nullopt;
    if (end == uri.size())
      break;
    uri.remove_prefix(end + 1);
  }
  link_credential x;
  x.worker = parts[0];
  if (count == 1)
    return x;
  const auto& number = parts[3];
  const auto [last, problem] =
      std::from_chars(number.data(), number.data() + number.size(), x.placement);
  if (count != parts.size() || problem != std::errc{} || last != number.data() + number.size())
    return std::nullopt;
  x.name_space = parts[1];
  x.uid = parts[2];
  return x;
}

std::string to_string(const link_credential& x) {
  if (x.worker.empty())
    return "a worker without a name";
  if (x.uid.empty())
    return x.worker + ", which has no stream yet";
  return x.worker + " for stream " + x.uid + " in " + x.name_space + ", start "
         + std::to_string(x.placement);
}

} // namespace ebb
