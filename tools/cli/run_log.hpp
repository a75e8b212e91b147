/// What `ebb run --data` tells of its streams, kept in DIR/run.log for `ebb logs --data`.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::cli {

/// One JSON object a line: time, level, stream, message. Nothing is said where it cannot be
/// written: a log is no reason for a stream to fail. Thread-safe.
class run_log {
public:
  /// Without a folder nothing is kept. What is longer than `kept_bytes` begins anew; the log before
  /// it stays as run.log.1.
  explicit run_log(std::string folder) : folder_(std::move(folder)) {}

  /// `level` is debug, info, warning or error; an empty stream: all of them are meant.
  void tell(std::string_view level, std::string_view stream, std::string_view message);

  static constexpr std::uint64_t kept_bytes = std::uint64_t{1} << 20;

private:
  std::string folder_;
  std::mutex mutex_;
};

/// Lines of the log of a folder, the oldest first.
[[nodiscard]] std::vector<std::string> run_log_lines(const std::string& folder);

} // namespace ebb::cli
