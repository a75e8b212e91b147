/// Who of a stream's subtasks is still there, and what a departure means. Pure.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace ebb {

class subtask_roll {
public:
  /// What the supervisor has to do.
  enum class effect : std::uint8_t {
    none,
    abandon_others, ///< the first failure: everyone who is left gives up
    conclude,       ///< all are gone
  };

  explicit subtask_roll(std::uint32_t subtasks);

  /// It has done its work and quits.
  void done(std::uint32_t subtask, bool cut);
  /// It has failed and quits.
  effect failed(std::uint32_t subtask, error problem);
  /// Something that all of them need has failed.
  effect failed_outside(error problem);
  /// It is gone. Without a word before, that is a failure too.
  effect down(std::uint32_t subtask);

  [[nodiscard]] bool reported(std::uint32_t subtask) const {
    return reported_[subtask];
  }

  /// The first failure.
  [[nodiscard]] const std::optional<error>& problem() const noexcept {
    return problem_;
  }

  /// Some subtask was cut off by an interrupt.
  [[nodiscard]] bool cut() const noexcept {
    return cut_;
  }

private:
  std::vector<bool> reported_;
  std::vector<bool> gone_;
  std::uint32_t left_;
  std::optional<error> problem_;
  bool cut_ = false;
};

} // namespace ebb
