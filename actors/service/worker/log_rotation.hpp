/// Bounds the file that a process writes its standard error to.
#pragma once

#include <cstdint>
#include <string>

namespace ebb {

/// Not thread-safe. Standard output follows where it is the same file.
class log_rotation {
public:
  /// `path` is where standard error goes now; empty = nothing is ever done.
  explicit log_rotation(std::string path, std::uint64_t bytes = std::uint64_t{4} << 20);

  /// Moves the file to PATH.1 when it has grown to `bytes`, and goes on in a new one, whose lock
  /// the process holds as it held the old one's (k8s-bridge/worker_logs.hpp). What goes wrong
  /// leaves everything as it was.
  void look() const noexcept;

private:
  const std::string path_;
  const std::uint64_t bytes_;
};

} // namespace ebb
