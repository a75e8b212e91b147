// Streams that several processes share: each may die alone, and links are slow.

#include "actors/runtime/part_supervisor.hpp"
#include "tools/simulation/world_incarnation.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <utility>

namespace ebb::sim {

// As the workers of a service do it: each builds its own subtasks from what part 0 begins with.
bool world::join_parts(incarnation& x, const planned_stream& planned, const prepared_stream& first,
                       stream_environment environment) {
  const auto generation = x.by->generation();
  const auto parts = environment.parts;
  x.links =
      std::make_shared<virtual_links>(parts, rates_, random_, [this] { return actors_.now(); });
  for (std::uint32_t number = 1; number < parts; ++number) {
    x.others.push_back(std::make_unique<part>(*this, generation, rates_));
    auto& here = *x.others.back();
    environment.part = number;
    environment.io = &here.io;
    auto setup =
        build_stream(planned.plan, planned.definition, here.connectors, environment, &first.start);
    if (!setup) {
      log_.violated("a part cannot start: " + setup.error().message);
      return false;
    }
    if (first.start.epoch != 0) {
      const auto state = disk_.recorded_state();
      if (auto restored = restore_state(first.start, *state, first.small, here.io, *setup);
          !restored) {
        log_.violated("a part cannot restore: " + restored.error().message);
        return false;
      }
    }
    auto& checkpoints = setup->checkpoints.emplace();
    checkpoints.generation = generation;
    checkpoints.store = std::make_shared<memory_store>(disk_, here.by);
    checkpoints.clock = environment.clock;
    checkpoints.io = environment.io;
    checkpoints.lane = here.io.open_lane();
    here.peers = std::make_shared<stream_peers>(number, parts, generation);
    x.links->connect(number, here.peers);
    setup->peers = here.peers;
    here.peers->attached = [&x] { --x.waiting; };
    for (const auto& subtask : setup->subtasks)
      if (subtask.task)
        subtask.board->published = [peers = here.peers,
                                    number = subtask.number](const stats_board& board) {
          peers->send(0, to_peer_stats(number, board.read()));
        };
    here.supervisor = actors_.system().spawn(part_supervisor,
                                             std::make_shared<supervisor_setup>(*std::move(setup)));
    ++x.waiting;
  }
  report_.parts += x.others.size();
  return true;
}

void world::start_parts(incarnation& x) {
  for (const auto& other : x.others)
    tap_.add_part(other->supervisor.address().id());
}

bool world::step_parts(incarnation& x) {
  if (x.waiting == 0) {
    caf::anon_send(x.supervisor, start_atom::value);
    x.waiting = SIZE_MAX;
  }
  for (std::size_t i = 0; i < x.others.size(); ++i) {
    auto& other = *x.others[i];
    if (other.buried)
      continue;
    if (!other.by->dead()
        && (random_.chance(part_kills_ / 16) || random_.chance(rates_.crash / 64)))
      other.by->die();
    if (other.by->dead())
      kill_part(x, i);
  }
  if (random_.below(6) == 0) {
    auto& other = *x.others[random_.below(x.others.size())];
    if (!other.by->dead() && other.io.run_one())
      return true;
  }
  return random_.below(2) == 0 && x.links->deliver_one();
}

void world::kill_part(incarnation& x, std::size_t number) {
  auto& other = *x.others[number];
  log_.note("a part dies", number + 1);
  ++report_.parts_lost;
  other.buried = true;
  other.io.drop();
  x.links->cut(static_cast<std::uint32_t>(number + 1));
  other.peers->detach();
  caf::anon_send_exit(std::exchange(other.supervisor, nullptr), caf::exit_reason::kill);
}

/// Until no actor of the generation has anything to do. Where it ends as a whole its other
/// processes live on, cut off from the first one.
void world::settle(incarnation& x) {
  do {
    actors_.settle();
  } while (x.links && x.links->deliver_one(true));
  for (auto& other : x.others) {
    if (other->supervisor)
      caf::anon_send_exit(std::exchange(other->supervisor, nullptr), caf::exit_reason::kill);
    other->peers->detach();
  }
  if (x.peers)
    x.peers->detach();
  actors_.settle();
  if (x.links)
    x.links->drop();
}

} // namespace ebb::sim
