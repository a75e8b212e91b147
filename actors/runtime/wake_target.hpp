/// The way from the I/O pool back to an actor.
#pragma once

#include "actors/runtime/handles.hpp"

#include <atomic>
#include <mutex>

namespace ebb {

/// Sends at most one `wake` at a time. Connectors get its function before the actor exists and may
/// keep it after the actor has ended. Thread-safe.
class wake_target {
public:
  /// From any thread.
  void wake();

  /// The actor is there; a wake that came before is sent now.
  void attach(subtask_actor actor);

  /// By the actor, when it handles a wake: the next one is sent again.
  void taken() noexcept {
    pending_ = false;
  }

  /// The actor has ended; wakes do nothing from now on.
  void detach();

private:
  std::mutex mutex_;
  subtask_actor actor_;
  std::atomic<bool> pending_ = false;
};

} // namespace ebb
