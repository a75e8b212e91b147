#include "actors/runtime/subtask_crew.hpp"

#include "actors/runtime/remote_subtask.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace ebb {

namespace {

subtask_links links_of(const subtask_wiring& wiring, const std::vector<subtask_actor>& actors) {
  subtask_links result;
  const auto resolve = [&](const auto& from, auto& to) {
    for (const auto& row : from) {
      auto& ends = to.emplace_back();
      for (const auto& x : row)
        ends.push_back({caf::actor_cast<caf::strong_actor_ptr>(actors[x.subtask]), x.port, x.lane});
    }
  };
  resolve(wiring.outputs, result.outputs);
  resolve(wiring.inputs, result.inputs);
  return result;
}

} // namespace

snapshot_writer_setup writer_of(const supervisor_setup& setup) {
  const auto& from = *setup.checkpoints;
  snapshot_writer_setup writer;
  writer.generation = from.generation;
  writer.process = setup.part;
  writer.store = from.store;
  writer.io = from.io;
  writer.lane = from.lane;
  writer.board = from.snapshots;
  for (const auto& x : setup.subtasks)
    if (x.part == setup.part)
      writer.subtasks.push_back(x.number);
  return writer;
}

std::vector<subtask_actor> spawn_crew(supervisor_actor::pointer self, supervisor_setup& setup,
                                      const coordinator_actor& coordinator,
                                      const snapshot_writer_actor& writer) {
  const auto supervisor = caf::actor_cast<supervisor_actor>(self);
  std::vector<subtask_actor> crew;
  stream_peers::actors known;
  for (auto& x : setup.subtasks) {
    known.parts.push_back(x.part);
    known.boards.push_back(x.board);
    if (!x.task) {
      const remote_subtask_setup remote{x.number, x.part, setup.peers, supervisor};
      crew.push_back(self->spawn<caf::monitored>(remote_subtask, remote));
      continue;
    }
    x.supervisor = supervisor;
    x.coordinator = coordinator;
    x.writer = writer;
    auto waker = x.waker;
    crew.push_back(
        self->spawn<caf::monitored>(subtask_host, std::make_shared<subtask_setup>(std::move(x))));
    waker->attach(crew.back());
  }
  if (setup.peers) {
    known.subtasks = crew;
    known.supervisor = supervisor;
    known.coordinator = coordinator;
    setup.peers->attach(std::move(known));
  }
  return crew;
}

void start_crew(supervisor_actor::pointer self, const std::vector<subtask_wiring>& wiring,
                const std::vector<subtask_actor>& crew) {
  for (std::size_t i = 0; i < crew.size(); ++i)
    self->send(crew[i], links_of(wiring[i], crew));
  for (const auto& x : crew)
    self->send(x, start_atom::value);
}

} // namespace ebb
