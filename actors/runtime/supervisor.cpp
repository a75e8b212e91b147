#include "actors/runtime/supervisor.hpp"

#include "actors/runtime/subtask_crew.hpp"

#include <caf/exit_reason.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace ebb {

namespace {

using self_pointer = supervisor_actor::stateful_pointer<supervisor_state>;

/// Nothing more is committed.
void stop_checkpoints(self_pointer self) {
  auto& state = self->state;
  if (!state.coordinator)
    return;
  self->send_exit(state.coordinator, caf::exit_reason::user_shutdown);
  self->send_exit(state.writer, caf::exit_reason::user_shutdown);
  state.coordinator = nullptr;
  state.writer = nullptr;
}

void conclude(self_pointer self) {
  auto& state = self->state;
  stop_checkpoints(self);
  if (state.peers)
    state.peers->detach();
  state.outcome->set({state.roll->problem(), state.roll->cut()});
  if (state.concluded)
    state.concluded();
  self->quit();
}

void carry_out(self_pointer self, subtask_roll::effect effect) {
  auto& state = self->state;
  switch (effect) {
  case subtask_roll::effect::none:
    return;
  case subtask_roll::effect::abandon_others:
    stop_checkpoints(self);
    for (std::uint32_t i = 0; i < state.subtasks.size(); ++i)
      if (!state.roll->reported(i))
        self->send(state.subtasks[i], abandon_atom::value);
    return;
  case subtask_roll::effect::conclude:
    conclude(self);
    return;
  }
}

void spawn_checkpoints(self_pointer self, supervisor_setup& setup) {
  if (!setup.checkpoints)
    return;
  auto& state = self->state;
  auto writer = writer_of(setup);
  state.coordinator = self->spawn<caf::monitored>(coordinator, *std::move(setup.checkpoints),
                                                  caf::actor_cast<supervisor_actor>(self));
  writer.coordinator = state.coordinator;
  state.writer = self->spawn<caf::monitored>(snapshot_writer, std::move(writer));
}

} // namespace

void stream_outcome::set(value x) {
  std::lock_guard guard(mutex_);
  value_ = std::move(x);
}

std::optional<stream_outcome::value> stream_outcome::get() const {
  std::lock_guard guard(mutex_);
  return value_;
}

supervisor_actor::behavior_type supervisor(self_pointer self,
                                           std::shared_ptr<supervisor_setup> setup) {
  auto& state = self->state;
  state.outcome = setup->outcome;
  state.concluded = std::move(setup->concluded);
  state.roll.emplace(static_cast<std::uint32_t>(setup->subtasks.size()));
  self->set_down_handler([self](const caf::down_msg& x) {
    auto& s = self->state;
    if (x.source == s.coordinator.address() || x.source == s.writer.address()) {
      carry_out(self, s.roll->failed_outside(
                          make_error(ec::internal, "checkpoints stopped without a reason")));
      return;
    }
    auto& subtasks = s.subtasks;
    for (std::uint32_t i = 0; i < subtasks.size(); ++i)
      if (subtasks[i].address() == x.source)
        carry_out(self, self->state.roll->down(i));
  });
  spawn_checkpoints(self, *setup);
  state.peers = setup->peers;
  state.subtasks = spawn_crew(self, *setup, state.coordinator, state.writer);
  return {
      [self, wiring = std::move(setup->wiring)](start_atom) {
        const auto& subtasks = self->state.subtasks;
        if (self->state.coordinator) {
          subtask_list all;
          for (const auto& x : subtasks)
            all.subtasks.push_back(caf::actor_cast<caf::strong_actor_ptr>(x));
          self->send(self->state.coordinator, std::move(all));
        }
        if (self->state.peers)
          self->state.peers->send_all(peer_go{});
        start_crew(self, wiring, subtasks);
        if (subtasks.empty())
          conclude(self);
      },
      [self](done_atom, std::uint32_t subtask, bool cut) { self->state.roll->done(subtask, cut); },
      [self](const failure& x, std::uint32_t subtask) {
        carry_out(self, self->state.roll->failed(subtask, x.problem));
      },
      [self](const failure& x) { carry_out(self, self->state.roll->failed_outside(x.problem)); },
      [self](savepoint_wish& x) {
        if (self->state.coordinator)
          self->send(self->state.coordinator, std::move(x));
        else
          x.answer(make_error(ec::conflict, "the stream has ended or makes no checkpoints"));
      },
      [self](interrupt_atom) {
        for (const auto& x : self->state.subtasks)
          self->send(x, interrupt_atom::value);
      },
  };
}

} // namespace ebb
