#include "actors/runtime/snapshot_writer.hpp"

#include "actors/dataflow/chunk_memory.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <utility>

namespace ebb {

namespace {

using self_pointer = snapshot_writer_actor::stateful_pointer<snapshot_writer_state>;

/// A full disk may have room again; the coordinator gives up after its deadline.
constexpr auto retry_after = std::chrono::seconds(1);

void write_when_complete(self_pointer self) {
  auto& state = self->state;
  if (state.writing != 0 || state.written == state.collector->epoch()
      || !state.collector->complete())
    return;
  state.writing = state.collector->epoch();
  auto job = [store = state.setup.store, epoch = state.writing, parts = state.collector->parts(),
              to = caf::actor_cast<snapshot_writer_actor>(self)] {
    step_done done;
    done.what = durable_step::write;
    done.epoch = epoch;
    auto written = store->write_delta(epoch, parts);
    settle_chunks();
    if (written)
      done.segment = std::move(*written);
    else
      done.problem = std::move(written).error();
    caf::anon_send(to, std::move(done));
  };
  state.setup.io->submit(state.setup.lane, std::move(job));
}

void finished(self_pointer self, step_done& done) {
  auto& state = self->state;
  if (done.epoch != state.writing)
    return;
  const auto epoch = std::exchange(state.writing, 0);
  if (state.collector->epoch() != epoch) {
    // Given up meanwhile; its segment is garbage.
    write_when_complete(self);
    return;
  }
  if (done.problem) {
    self->send(state.setup.coordinator, step_done{std::move(done)});
    self->delayed_send(self, retry_after, retry_atom::value);
    return;
  }
  state.written = epoch;
  auto part = state.collector->summary();
  state.collector->let_go();
  part.segment = std::move(done.segment);
  self->send(state.setup.coordinator,
             epoch_written{state.setup.generation, state.setup.process, epoch, std::move(part)});
}

} // namespace

snapshot_writer_actor::behavior_type snapshot_writer(self_pointer self,
                                                     snapshot_writer_setup setup) {
  auto& state = self->state;
  state.setup = std::move(setup);
  state.collector = std::make_unique<snapshot_collector>(state.setup.subtasks);
  self->monitor(state.setup.coordinator);
  self->set_down_handler([self](const caf::down_msg&) { self->quit(); });
  return {
      [self](snapshot_part& x) {
        auto& s = self->state;
        if (x.generation == s.setup.generation && s.setup.board)
          s.setup.board->came(x.snapshot->epoch, x.subtask);
        if (x.generation == s.setup.generation
            && s.collector->add(x.subtask, std::move(x.snapshot), x.when))
          write_when_complete(self);
      },
      [self](step_done& x) { finished(self, x); },
      [self](retry_atom) { write_when_complete(self); },
  };
}

} // namespace ebb
