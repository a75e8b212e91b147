/// Aligned columns for people.
#pragma once

#include <string>
#include <vector>

namespace ebb::cli {

/// The first row is the header; numbers (columns named so) stand right.
class text_table {
public:
  explicit text_table(std::vector<std::string> header) : rows_{std::move(header)} {}

  void right(std::size_t column) {
    right_.push_back(column);
  }

  void add(std::vector<std::string> row) {
    rows_.push_back(std::move(row));
  }

  [[nodiscard]] std::string text() const;

private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_;
};

/// `1.5 KiB`.
[[nodiscard]] std::string size_text(std::uint64_t bytes);
/// `12.3 ms`.
[[nodiscard]] std::string duration_text(std::int64_t micros);

} // namespace ebb::cli
