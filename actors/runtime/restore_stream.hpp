/// Gives the subtasks of a stream the state that a checkpoint holds.
#pragma once

#include "actors/dataflow/snapshot.hpp"
#include "actors/runtime/stored_state.hpp"
#include "actors/runtime/supervisor.hpp"

#include <map>
#include <string>
#include <vector>

namespace ebb {

/// What a stream with checkpoints begins with.
struct stream_start {
  std::string uid;
  generation_number generation = 1;
  epoch_number epoch = 0;    ///< restored; 0 = none
  std::string output_folder; ///< where output waits for its commit; empty = it is written at once
  /// Identities of operators with state (stateful_steps.hpp): the place is the number under which
  /// their state is kept. All of the plan's are here.
  std::vector<std::string> operators;
  std::map<std::string, std::vector<source_position>> positions; ///< by source
  std::map<std::string, std::vector<sealed_output>> outputs;     ///< by sink: the last of each lane
};

/// State of no more than this is loaded before the stream goes on.
inline constexpr std::uint64_t small_state_bytes = std::uint64_t{4} << 20;

/// Whatever the parallelism was: each entry goes to the instance that owns its key group now, those
/// without a key to all. Of state that is not small, the subtasks get what they must have at once
/// and a view of the rest, to be read by jobs of `io`. Then they go on from `start.epoch`. Blocks
/// on `state`. ec::unsupported: an operator does not understand its entries.
[[nodiscard]] result<void> restore_state(const stream_start& start, stored_state& state,
                                         std::uint64_t small, io_executor& io,
                                         supervisor_setup& setup);

} // namespace ebb
