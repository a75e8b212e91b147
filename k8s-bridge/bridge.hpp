/// The bridge actor: orders about workers in, what became of them out.
#pragma once

#include "k8s-bridge/worker_backend.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct worker_order {
  enum class kind : std::uint8_t { start, adopt, end, kill };
  kind what = kind::start;
  std::string name;
  std::int64_t pid = 0; ///< adopt
};

/// What worker_listener is told.
struct worker_news {
  enum class kind : std::uint8_t { started, failed, gone };
  kind what = kind::started;
  std::string name;
  std::int64_t pid = 0; ///< started
  error why;            ///< failed
  worker_exit how;      ///< gone
};

using bridge_actor = caf::typed_actor<
    // From the control process.
    caf::reacts_to<worker_order>,
    // From the backend.
    caf::reacts_to<worker_news>>;

struct bridge_setup {
  /// Called once, by the actor.
  std::function<result<std::unique_ptr<worker_backend>>(worker_listener&)> make;
  /// Called by the actor, in order; must not block.
  std::function<void(const worker_news&)> tell;
};

struct bridge_state {
  static inline const char* name = "bridge";

  std::unique_ptr<worker_listener> ears; ///< of the backend
  std::unique_ptr<worker_backend> backend;
};

/// Ends when it is told to exit; workers stay. Where the backend cannot be made, every start fails
/// with its error.
bridge_actor::behavior_type bridge(bridge_actor::stateful_pointer<bridge_state> self,
                                   bridge_setup setup);

} // namespace ebb

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::worker_order)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::worker_news)
