/// What one generation of a simulated stream holds.
#pragma once

#include "tools/simulation/virtual_links.hpp"
#include "tools/simulation/world.hpp"

namespace ebb::sim {

/// One process of a generation, beside the first one.
struct world::part {
  part(world& in, std::uint64_t generation, const fault_rates& rates)
      : by(std::make_shared<process>(generation, rates, in.random_, in.log_)),
        io(rates, in.random_, [&in] { return in.actors_.now(); }),
        connectors({&in.disk_, by, &in.a_, &in.b_, &in.log_}) {}

  std::shared_ptr<process> by;
  virtual_io io;
  memory_connectors connectors;
  std::shared_ptr<stream_peers> peers;
  supervisor_actor supervisor;
  bool buried = false;
};

struct world::incarnation {
  incarnation(world& in, std::uint64_t generation, const fault_rates& rates)
      : by(std::make_shared<process>(generation, rates, in.random_, in.log_)),
        io(rates, in.random_, [&in] { return in.actors_.now(); }),
        connectors({&in.disk_, by, &in.a_, &in.b_, &in.log_}) {}

  /// A job of a process that lives; false = none is due.
  bool run_io() {
    if (!by->dead() && io.run_one())
      return true;
    for (auto& x : others)
      if (!x->by->dead() && x->io.run_one())
        return true;
    return false;
  }

  [[nodiscard]] micros next_io() const {
    micros next = by->dead() ? max_time : io.next_time();
    for (const auto& x : others)
      if (!x->by->dead())
        next = std::min(next, x->io.next_time());
    return next;
  }

  void drop() {
    io.drop();
    for (auto& x : others)
      x->io.drop();
    if (links)
      links->drop();
  }

  /// All of its processes die.
  void end() {
    by->die();
    for (auto& x : others)
      x->by->die();
    drop();
  }

  std::shared_ptr<process> by;
  virtual_io io;
  memory_connectors connectors;
  std::vector<subtask_wiring> wiring;
  std::shared_ptr<stream_outcome> outcome;
  std::shared_ptr<checkpoint_board> board;
  supervisor_actor supervisor;
  micros born = 0;
  // With several parts:
  std::vector<std::unique_ptr<part>> others; ///< from part 1 on
  std::shared_ptr<virtual_links> links;
  std::shared_ptr<stream_peers> peers; ///< of part 0
  std::size_t waiting = 0;             ///< for parts to be there
};

} // namespace ebb::sim
