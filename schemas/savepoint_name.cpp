#include "schemas/savepoint_name.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::size_t longest = 63;

bool is_letter_or_digit(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// The name as an error may show it: it can be anything.
std::string shown(std::string_view name) {
  constexpr std::size_t most = 80;
  std::string text;
  for (const char c : name.substr(0, most))
    text += c >= ' ' && c <= '~' ? c : '?';
  return text + (name.size() > most ? "..." : "");
}

} // namespace

result<void> check_savepoint_name(std::string_view name) {
  const bool is_label = !name.empty() && name.size() <= longest && is_letter_or_digit(name.front())
                        && is_letter_or_digit(name.back())
                        && std::all_of(name.begin(), name.end(),
                                       [](char c) { return is_letter_or_digit(c) || c == '-'; });
  if (!is_label)
    return make_error(ec::invalid_argument,
                      "'" + shown(name) + "' cannot be the name of a savepoint",
                      "use 1 to 63 lower-case letters, digits and -, a letter or digit first and "
                      "last: before-upgrade");
  if (name == "fresh" || name == "latest-checkpoint")
    return make_error(ec::invalid_argument,
                      "'" + std::string(name) + "' cannot be the name of a savepoint",
                      "--from " + std::string(name) + " means something else: use another name");
  return {};
}

} // namespace ebb
