#include "tools/client/json.hpp"

namespace ebb::client {

namespace {

// Bytes of an answer that an error shows.
constexpr std::size_t shown_bytes = 80;

} // namespace

result<json> parse_json(std::string_view text) {
  auto value = json::parse(text, nullptr, false);
  if (!value.is_discarded())
    return value;
  return make_error(ec::io,
                    "the answer is no JSON: " + std::string(text.substr(0, shown_bytes))
                        + (text.size() > shown_bytes ? "…" : ""),
                    "is another program listening at this address?");
}

const json& at(const json& from, std::string_view path) noexcept {
  static const json nothing;
  const json* here = &from;
  while (!path.empty()) {
    const auto end = path.find('.');
    const auto key = path.substr(0, end);
    if (!here->is_object())
      return nothing;
    const auto found = here->find(std::string(key));
    if (found == here->end())
      return nothing;
    here = &*found;
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end + 1);
  }
  return *here;
}

std::string text_of(const json& value) {
  if (value.is_null())
    return {};
  if (value.is_string())
    return value.get<std::string>();
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_at(const json& from, std::string_view path) {
  return text_of(at(from, path));
}

} // namespace ebb::client
