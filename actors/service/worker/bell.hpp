/// What wakes the thread that a process's main loop sleeps in.
#pragma once

#include "schemas/error.hpp"
#include "storage/files.hpp"

#include <chrono>
#include <optional>

namespace ebb {

class bell {
public:
  [[nodiscard]] static result<bell> make();

  /// From any thread, and from a signal handler. Rings until it is heard, however often.
  void ring() const noexcept;

  /// Sleeps until it rings or the time has come; nothing = until it rings. One thread.
  void wait(std::optional<std::chrono::steady_clock::time_point> until) const noexcept;

private:
  explicit bell(owned_file file) : file_(std::move(file)) {}

  owned_file file_;
};

} // namespace ebb
