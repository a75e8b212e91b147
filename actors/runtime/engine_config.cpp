#include "actors/runtime/engine_config.hpp"

#include <caf/atom.hpp>

namespace ebb {

namespace {

/// Messages an actor may handle before it goes to the end of the queue.
constexpr std::size_t messages_a_turn = 4;

} // namespace

engine_config::engine_config(std::uint32_t threads) {
  set("scheduler.policy", caf::atom("sharing"));
  set("scheduler.max-threads", static_cast<std::size_t>(threads));
  set("scheduler.max-throughput", messages_a_turn);
}

} // namespace ebb
