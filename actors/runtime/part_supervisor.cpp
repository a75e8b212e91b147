#include "actors/runtime/part_supervisor.hpp"

#include "actors/runtime/remote_subtask.hpp"
#include "actors/runtime/subtask_crew.hpp"

#include <caf/exit_reason.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace ebb {

namespace {

using self_pointer = supervisor_actor::stateful_pointer<part_supervisor_state>;

void report(self_pointer self, peer_report::kind what, std::uint32_t subtask,
            std::optional<error> problem = std::nullopt) {
  auto& state = self->state;
  if (subtask >= state.reported.size() || state.reported[subtask])
    return;
  state.reported[subtask] = true;
  state.setup->peers->send(0, peer_report{what, subtask, 0, std::move(problem)});
}

/// Its own subtasks are gone; stand-ins end with it.
void conclude(self_pointer self) {
  auto& state = self->state;
  self->send_exit(state.coordinator, caf::exit_reason::user_shutdown);
  self->send_exit(state.writer, caf::exit_reason::user_shutdown);
  state.setup->peers->detach();
  if (const auto concluded = std::exchange(state.setup->concluded, nullptr))
    concluded();
  self->quit();
}

void down(self_pointer self, const caf::down_msg& x) {
  auto& state = self->state;
  if (x.source == state.coordinator.address() || x.source == state.writer.address())
    return;
  for (std::uint32_t i = 0; i < state.crew.size(); ++i) {
    if (state.crew[i].address() != x.source || state.setup->subtasks[i].part != state.setup->part)
      continue;
    report(self, peer_report::kind::failed, i,
           make_error(ec::internal, "a subtask ended without a reason"));
    if (--state.left == 0 && state.lost)
      conclude(self);
  }
}

void spawn(self_pointer self) {
  auto& state = self->state;
  auto& setup = *state.setup;
  const auto me = caf::actor_cast<supervisor_actor>(self);
  state.coordinator = self->spawn<caf::monitored>(remote_coordinator, setup.peers, me);
  auto writer = writer_of(setup);
  writer.coordinator = state.coordinator;
  state.left = static_cast<std::uint32_t>(writer.subtasks.size());
  state.reported.resize(setup.subtasks.size());
  state.writer = self->spawn<caf::monitored>(snapshot_writer, std::move(writer));
  state.crew = spawn_crew(self, setup, state.coordinator, state.writer);
}

} // namespace

supervisor_actor::behavior_type part_supervisor(self_pointer self,
                                                std::shared_ptr<supervisor_setup> setup) {
  self->state.setup = std::move(setup);
  self->set_down_handler([self](const caf::down_msg& x) { down(self, x); });
  spawn(self);
  return {
      [self](start_atom) { start_crew(self, self->state.setup->wiring, self->state.crew); },
      [self](done_atom, std::uint32_t subtask, bool cut) {
        report(self, cut ? peer_report::kind::cut : peer_report::kind::done, subtask);
      },
      [self](failure& x, std::uint32_t subtask) {
        report(self, peer_report::kind::failed, subtask, std::move(x.problem));
      },
      // A channel has closed: part 0 has ended, or hears of it, too. Without this the part stays,
      // though its subtasks have ended: part 0 would think that it was lost.
      [self](const failure&) {
        auto& state = self->state;
        state.lost = true;
        for (const auto& x : state.crew)
          self->send(x, abandon_atom::value);
        state.setup->peers->detach();
        if (state.left == 0)
          conclude(self);
      },
      [](savepoint_wish& x) {
        x.answer(make_error(ec::internal, "savepoints are made by part 0 of a stream"));
      },
      [](interrupt_atom) {},
  };
}

} // namespace ebb
