/// Lines that are drawn again in the same place of a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace ebb::client {

/// The escape sequence and text that replace `before` lines above the cursor by these; lines are
/// cut to the width, all to the height, of a terminal. Pure.
[[nodiscard]] std::string redrawn(const std::vector<std::string>& lines, std::size_t before,
                                  std::size_t width, std::size_t height);

/// Lines that redrawn() leaves below each other for this many.
[[nodiscard]] std::size_t drawn_lines(std::size_t lines, std::size_t height) noexcept;

class line_screen {
public:
  void show(const std::vector<std::string>& lines);

private:
  std::size_t before_ = 0;
};

} // namespace ebb::client
