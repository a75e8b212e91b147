#include "actors/service/keeper/keeper_actor.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>

namespace ebb {

namespace {

/// A timer further away is set again when it fires.
constexpr micros timer_max = 3600 * micros_per_second;

} // namespace

keeper_actor::behavior_type keeping(keeper_actor::stateful_pointer<keeper_state> self,
                                    keeper_setup setup) {
  self->state.clock = std::move(setup.clock);
  self->state.streams = setup.make();
  return {
      [self](keeper_task& x) { x.run(*self->state.streams); },
      [self](keeper_timer_atom, micros at) {
        auto& state = self->state;
        const auto delay = std::clamp<micros>(at - state.clock(), 0, timer_max);
        self->delayed_send(self, std::chrono::microseconds(delay), keeper_timer_atom::value,
                           ++state.timer);
      },
      [self](keeper_timer_atom, std::uint64_t number) {
        if (number == self->state.timer)
          self->state.streams->tick();
      },
  };
}

} // namespace ebb
