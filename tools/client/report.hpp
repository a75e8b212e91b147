/// What commands print, and their exit codes.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace ebb::client {

/// 2 invalid_argument, 3 not_found, 4 conflict, 130 cancelled, else 1.
[[nodiscard]] int exit_code_of(ec code) noexcept;
/// Prints `error: …` with place and hint (nothing when interrupted); the exit code for its kind.
[[nodiscard]] int exit_of(const error& problem);
[[nodiscard]] int finish(const result<int>& done);

void warn(const std::string& text);

/// Writes to standard output at once. Where nobody reads it any more the process ends as a broken
/// pipe ends others.
void print(std::string_view text);

/// What the API sent: as it came, or indented on a terminal.
void print_json(const std::string& body);

[[nodiscard]] bool output_is_terminal();

/// A line on standard error that replaces itself, on a terminal only; gone when this is.
class progress_line {
public:
  progress_line();
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  /// At most ten times a second; nothing off a terminal.
  void show(const std::string& text);
  void clear();

private:
  bool terminal_;
  bool shown_ = false;
  std::int64_t next_ = 0;
};

/// `1,234,567`.
[[nodiscard]] std::string grouped(std::uint64_t number);

} // namespace ebb::client
