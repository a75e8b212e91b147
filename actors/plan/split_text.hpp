/// A text's parts between separators.
#pragma once

#include <string_view>
#include <vector>

namespace ebb {

/// One part more than there are separators; parts refer to the text.
[[nodiscard]] inline std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> result;
  for (;;) {
    const auto end = text.find(at);
    result.push_back(text.substr(0, end));
    if (end == std::string_view::npos)
      return result;
    text.remove_prefix(end + 1);
  }
}

} // namespace ebb
