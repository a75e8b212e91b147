/// Lines of bytes that come in pieces. Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace ebb {

class line_splitter {
public:
  explicit line_splitter(std::size_t most_bytes) : most_(most_bytes) {}

  /// `take` gets each line that is whole, without its end; false ends it. False also where a line
  /// is too long.
  bool add(std::string_view piece, const std::function<bool(std::string_view)>& take) {
    while (true) {
      const auto end = piece.find('\n');
      if (end == std::string_view::npos) {
        held_ += piece;
        return held_.size() <= most_;
      }
      const auto part = piece.substr(0, end);
      piece.remove_prefix(end + 1);
      if (held_.size() + part.size() > most_)
        return false;
      std::string whole;
      std::string_view line = part;
      if (!held_.empty()) {
        whole.swap(held_);
        whole += part;
        line = whole;
      }
      if (!line.empty() && !take(line))
        return false;
    }
  }

private:
  std::size_t most_;
  std::string held_;
};

} // namespace ebb
