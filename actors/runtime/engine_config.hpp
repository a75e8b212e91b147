/// Settings of CAF's actor system.
#pragma once

#include <caf/actor_system_config.hpp>

#include <cstdint>

namespace ebb {

/// The sharing scheduler, since with work stealing one ping-pong pair on one thread starves every
/// other actor for good; few messages a turn, since one message may be a millisecond of work. CAF's
/// network module is not loaded.
class engine_config : public caf::actor_system_config {
public:
  explicit engine_config(std::uint32_t threads);
};

} // namespace ebb
