/// The way into the server's thread from others.
#pragma once

#include <functional>

namespace ebb {

/// Outlives the server, so that a late answer finds a closed door and not a dead object.
class loop_door {
public:
  virtual ~loop_door() = default;

  /// Runs `work` on the server's thread, soon; drops it when the server has stopped. Thread-safe.
  virtual void post(std::function<void()> work) = 0;
};

} // namespace ebb
