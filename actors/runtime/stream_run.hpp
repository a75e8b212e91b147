/// One stream that runs in an actor system.
#pragma once

#include "actors/runtime/build_stream.hpp"

#include <caf/fwd.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace ebb {

/// Not thread-safe; `concluded` is called from an actor's thread. Plan and definition outlive it.
class stream_run {
public:
  /// Spawns and starts the actors of a stream that was built for this plan; of one that has
  /// finished before (`setup` is empty), none.
  stream_run(caf::actor_system& system, const stage_plan& plan, const stream_definition& stream,
             supervisor_setup setup, std::function<void()> concluded, bool finished = false);
  /// Kills what still runs.
  ~stream_run();
  stream_run(const stream_run&) = delete;
  stream_run& operator=(const stream_run&) = delete;

  /// It drains, and what it has written counts.
  void interrupt();
  /// It ends at once, as if it had failed.
  void give_up();

  /// Null for a stream that had finished before.
  [[nodiscard]] const supervisor_actor& supervisor() const noexcept {
    return supervisor_;
  }

  /// Empty while it runs.
  [[nodiscard]] std::optional<stream_outcome::value> outcome() const;
  [[nodiscard]] stream_report report() const;

  /// Whether all subtasks have shown their counters, so that `report` speaks for the whole stream.
  [[nodiscard]] bool reported() const;

private:
  const stage_plan& plan_;
  const stream_definition& stream_;
  std::shared_ptr<stream_outcome> outcome_;
  std::vector<std::shared_ptr<stats_board>> boards_;
  supervisor_actor supervisor_;
};

} // namespace ebb
