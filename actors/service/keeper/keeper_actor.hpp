/// The actor that the keeper lives in.
#pragma once

#include "actors/service/keeper/keeper.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_actor.hpp>

#include <cstdint>
#include <functional>
#include <memory>

namespace ebb {

/// Something to be done with the keeper: what a connection, a job or a person has to say.
struct keeper_task {
  std::function<void(keeper&)> run;
};

using keeper_timer_atom = caf::atom_constant<caf::atom("ktimer")>;

using keeper_actor = caf::typed_actor<
    // In the order in which they come.
    caf::reacts_to<keeper_task>,
    // The keeper wants to be called at this time.
    caf::reacts_to<keeper_timer_atom, micros>,
    // That time has come; the number tells which request.
    caf::reacts_to<keeper_timer_atom, std::uint64_t>>;

struct keeper_state {
  static inline const char* name = "keeper";

  std::unique_ptr<keeper> streams;
  std::function<micros()> clock;
  std::uint64_t timer = 0;
};

struct keeper_setup {
  std::function<std::unique_ptr<keeper>()> make; ///< called by the actor
  std::function<micros()> clock;
};

keeper_actor::behavior_type keeping(keeper_actor::stateful_pointer<keeper_state> self,
                                    keeper_setup setup);

} // namespace ebb

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::keeper_task)
