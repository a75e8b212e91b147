#include "schemas/savepoint_name.hpp"

#include "schemas/label.hpp"

namespace ebb {

namespace {

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
  if (!is_label(name))
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
