#include "tools/client/line_screen.hpp"

#include "tools/client/report.hpp"

#include <algorithm>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ebb::client {

namespace {

/// At most `width` characters of UTF-8 text.
std::string cut(const std::string& text, std::size_t width) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80 && seen++ == width)
      return text.substr(0, i);
  return text;
}

} // namespace

std::size_t drawn_lines(std::size_t lines, std::size_t height) noexcept {
  // The cursor has a line of its own.
  return std::min(lines, std::max<std::size_t>(height, 2) - 1);
}

std::string redrawn(const std::vector<std::string>& lines, std::size_t before, std::size_t width,
                    std::size_t height) {
  std::string out;
  if (before > 0)
    out = "\033[" + std::to_string(before) + 'A';
  out += "\r\033[J";
  for (std::size_t i = 0; i < drawn_lines(lines.size(), height); ++i)
    out += cut(lines[i], width) + '\n';
  return out;
}

void line_screen::show(const std::vector<std::string>& lines) {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0)
    size = {24, 80, 0, 0};
  print(redrawn(lines, std::min<std::size_t>(before_, size.ws_row), size.ws_col, size.ws_row));
  before_ = drawn_lines(lines.size(), size.ws_row);
}

} // namespace ebb::client
