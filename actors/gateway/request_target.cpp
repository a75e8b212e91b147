#include "actors/gateway/request_target.hpp"

#include "actors/plan/printable.hpp"
#include "schemas/hex_digit.hpp"

#include <optional>

namespace ebb {

namespace {

// Nothing where a percent sign is not followed by two digits, or where the bytes are no text.
std::optional<std::string> decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out += ' ';
    } else if (text[i] == '%') {
      const auto high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const auto low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0)
        return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  for (std::size_t i = 0; i < out.size();) {
    const auto length = utf8_length(out, i);
    const auto c = static_cast<unsigned char>(out[i]);
    if (length == 0 || c < 0x20 || c == 0x7f)
      return std::nullopt;
    i += length;
  }
  return out;
}

http_problem wrong_path(std::string detail) {
  return make_problem(400, "path-malformed", std::move(detail), "path",
                      "write each part of the path once, percent-encode what is not a letter, "
                      "digit or one of - . _ ~");
}

} // namespace

std::variant<request_target, http_problem> parse_target(std::string_view text) {
  request_target out;
  if (text == "*") {
    out.server = true;
    return out;
  }
  for (const std::string_view scheme : {"http://", "https://"})
    if (text.starts_with(scheme)) {
      text.remove_prefix(scheme.size());
      text.remove_prefix(std::min(text.find_first_of("/?"), text.size()));
    }
  if (text.empty() || text[0] != '/')
    return wrong_path("the target of the request is no path");
  if (text.find('#') != std::string_view::npos)
    return wrong_path("the target of the request has a fragment");
  const auto question = std::min(text.find('?'), text.size());
  auto path = text.substr(1, question - 1);
  while (!path.empty() || !out.path.empty()) {
    const auto slash = std::min(path.find('/'), path.size());
    auto part = decode(path.substr(0, slash), false);
    if (!part)
      return wrong_path("a part of the path is not percent-encoded UTF-8 text");
    if (part->empty() || *part == "." || *part == "..")
      return wrong_path("the path has an empty part, . or ..");
    if (part->find_first_of("/\\") != std::string::npos)
      return wrong_path("a part of the path contains a slash");
    out.path.push_back(std::move(*part));
    if (slash == path.size())
      break;
    path.remove_prefix(slash + 1);
  }
  for (auto query = text.substr(std::min(question + 1, text.size())); !query.empty();) {
    const auto end = std::min(query.find('&'), query.size());
    const auto pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty())
      continue;
    const auto equal = std::min(pair.find('='), pair.size());
    auto name = decode(pair.substr(0, equal), true);
    auto value = decode(pair.substr(std::min(equal + 1, pair.size())), true);
    if (!name || !value || name->empty())
      return make_problem(400, "query-malformed",
                          "a query parameter is not percent-encoded UTF-8 text", "query",
                          "write NAME=VALUE, joined by &, both percent-encoded");
    out.query.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

} // namespace ebb
