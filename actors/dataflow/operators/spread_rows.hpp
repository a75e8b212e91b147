/// The spread side of a join (operator_spec.hpp) as it is loaded: one copy from each instance that
/// had saved it.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// A row by the window or pane that it lies in and by its bytes.
template <class Window>
struct loaded_spread_row {
  Window window;
  std::string value;
  std::uint16_t writer = 0;

  auto operator<=>(const loaded_spread_row&) const = default;
};

/// The rows, each as many times as in the copy that has it most often, by window. An instance that
/// was ahead may have let go of rows that another one still needs.
template <class Window>
[[nodiscard]] std::vector<loaded_spread_row<Window>>
most_of_any_writer(std::vector<loaded_spread_row<Window>> rows) {
  std::sort(rows.begin(), rows.end());
  std::vector<loaded_spread_row<Window>> result;
  for (std::size_t i = 0; i < rows.size();) {
    std::size_t most = 0;
    auto next = i;
    while (next < rows.size() && rows[next].window == rows[i].window
           && rows[next].value == rows[i].value) {
      const auto first = next;
      while (next < rows.size() && rows[next] == rows[first])
        ++next;
      most = std::max(most, next - first);
    }
    result.insert(result.end(), most, rows[i]);
    i = next;
  }
  return result;
}

} // namespace ebb
