#include "tools/client/log_text.hpp"

#include "tools/client/json_table.hpp"

#include <algorithm>

namespace ebb::client {

std::string log_text(const json& x) {
  if (!x.is_object())
    return cell_of(text_of(x));
  std::string level = text_at(x, "level");
  for (char& c : level)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  constexpr std::size_t level_width = 7;
  level.resize(std::max(level.size(), level_width), ' ');
  auto out = text_at(x, "time") + ' ' + level + ' ' + text_at(x, "message");
  for (const auto& [key, value] : x.items())
    if (key != "time" && key != "level" && key != "message" && key != "stream")
      out += ' ' + key + '=' + text_of(value);
  return cell_of(out);
}

} // namespace ebb::client
