/// A start that a full disk keeps from going on: it is tried again until there is room.
#pragma once

#include "schemas/error.hpp"
#include "tools/cli/run_log.hpp"

#include <atomic>
#include <string>

namespace ebb::cli {

/// Whether it is for want of room on some disk.
[[nodiscard]] bool is_full_disk(const error& problem);

/// Of one process, used by the thread that starts its streams.
class wait_for_room {
public:
  /// `ends`: nobody waits any longer.
  wait_for_room(std::string folder, run_log& log, const std::atomic<bool>& ends)
      : folder_(std::move(folder)), log_(log), ends_(ends) {}

  void starts() noexcept {
    begun_ = false;
  }

  /// All is opened: what fails from now on is another matter.
  void begun();

  /// A start has failed. True: for want of room. It has been told, once a reason, and `pause` is to
  /// be called before the next try.
  [[nodiscard]] bool holds_up(const error& problem);

  /// A while, shorter where it ends.
  void pause() const;

  /// What it waits for, as told last.
  [[nodiscard]] const std::string& reason() const noexcept {
    return told_;
  }

private:
  std::string folder_;
  run_log& log_;
  const std::atomic<bool>& ends_;
  bool begun_ = false;
  std::string told_;
};

} // namespace ebb::cli
