/// The actor that makes a process's part of a stream's checkpoints durable.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/handles.hpp"
#include "actors/runtime/snapshot_board.hpp"
#include "actors/runtime/snapshot_collector.hpp"

#include <caf/stateful_actor.hpp>

#include <memory>
#include <vector>

namespace ebb {

struct snapshot_writer_setup {
  generation_number generation = 1;
  std::uint32_t process = 0;
  std::vector<std::uint32_t> subtasks; ///< of this process: their numbers, rising
  std::shared_ptr<checkpoint_store> store;
  io_executor* io = nullptr; ///< outlives the actor
  std::uint64_t lane = 0;    ///< of the store
  coordinator_actor coordinator;
  std::shared_ptr<snapshot_board> board; ///< null: nobody asks what has come
};

struct snapshot_writer_state {
  static inline const char* name = "snapshot-writer";

  snapshot_writer_setup setup;
  std::unique_ptr<snapshot_collector> collector;
  epoch_number writing = 0; ///< 0 = no job in flight
  epoch_number written = 0; ///< last
};

snapshot_writer_actor::behavior_type
snapshot_writer(snapshot_writer_actor::stateful_pointer<snapshot_writer_state> self,
                snapshot_writer_setup setup);

} // namespace ebb
