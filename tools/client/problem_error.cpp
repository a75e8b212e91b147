#include "tools/client/problem_error.hpp"

#include "tools/client/json.hpp"

#include <charconv>
#include <limits>

namespace ebb::client {

namespace {

/// Names of parameters, as the service says them, as options of our commands.
std::string as_options(std::string text) {
  for (const std::string_view name : {"stream", "ack", "from", "sinks", "partition"}) {
    const auto written = std::string(name) + '=';
    for (auto place = text.find(written); place != std::string::npos;
         place = text.find(written, place + written.size() + 2)) {
      if (place != 0 && text[place - 1] != ' ')
        continue;
      text.insert(place, "--");
      text[place + written.size() + 1] = ' ';
    }
  }
  return text;
}

ec kind_of(int status) noexcept {
  switch (status) {
  case 400:
  case 413:
  case 422:
    return ec::invalid_argument;
  case 404:
    return ec::not_found;
  case 409:
    return ec::conflict;
  case 408:
  case 429:
  case 503:
    return ec::resource;
  default:
    return ec::io;
  }
}

std::string hint_for(int status) {
  switch (status) {
  case 401:
    return "give a token in EBB_TOKEN, or keep one: ebb context set NAME --server URL "
           "--token-file FILE";
  case 403:
    return "ask an operator for a token with another role: ebb auth token create";
  default:
    return {};
  }
}

std::uint32_t number_at(const json& from, const char* key) {
  const auto& value = at(from, key);
  if (!value.is_number_unsigned())
    return 0;
  const auto number = value.get<std::uint64_t>();
  return number <= std::numeric_limits<std::uint32_t>::max() ? static_cast<std::uint32_t>(number)
                                                             : 0;
}

/// `field: detail (hint)` of one of several errors.
std::string line_of(const json& x) {
  if (x.is_string())
    return "  " + x.get<std::string>();
  const auto field = text_at(x, "field");
  const auto hint = text_at(x, "hint");
  return "  " + (field.empty() ? "" : field + ": ") + text_at(x, "detail")
         + (hint.empty() ? "" : " (" + hint + ")");
}

} // namespace

error problem_error(const http_response& answer) {
  const auto document = json::parse(answer.body, nullptr, false);
  error out;
  out.code = kind_of(answer.status);
  if (document.is_object()) {
    out.message = text_at(document, "detail");
    if (out.message.empty())
      out.message = text_at(document, "title");
    // Names in the path are those that a person has given; that they came by the path says nothing.
    if (const auto field = text_at(document, "field"); field.starts_with("query."))
      out.place.field = "--" + field.substr(field.find('.') + 1);
    else if (!field.starts_with("path."))
      out.place.field = field;
    out.place.line = number_at(document, "line");
    out.place.column = number_at(document, "column");
    out.hint = as_options(text_at(document, "hint"));
    for (const auto& x : at(document, "errors"))
      out.excerpt += (out.excerpt.empty() ? "" : "\n") + line_of(x);
  }
  if (out.message.empty()) {
    out.message = "the service answers " + std::to_string(answer.status);
    if (answer.status == 404 || answer.status == 405)
      out.hint = "is another program listening at this address, or an older version of ebb?";
  }
  // What the service says of a missing token is for programs that speak HTTP.
  if (out.hint.empty() || answer.status == 401)
    out.hint = hint_for(answer.status);
  return out;
}

ec kind_of_problem(std::string_view type) noexcept {
  const auto name = type.substr(type.rfind('/') + 1);
  if (name == "invalid" || name == "unsupported")
    return ec::invalid_argument;
  if (name == "not-found")
    return ec::not_found;
  if (name == "conflict")
    return ec::conflict;
  return ec::io;
}

bool is_passing(const http_response& answer) noexcept {
  switch (answer.status) {
  case 408:
  case 429:
  case 502:
  case 503:
  case 504:
    return true;
  default:
    return false;
  }
}

std::optional<std::chrono::seconds> retry_after(const http_response& answer) {
  const auto field = answer.headers.find("retry-after");
  if (field == answer.headers.end())
    return std::nullopt;
  const auto& text = field->second;
  std::uint32_t seconds = 0;
  const auto [stop, problem] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (problem != std::errc{} || stop != text.data() + text.size())
    return std::nullopt;
  return std::chrono::seconds{seconds};
}

} // namespace ebb::client
