/// Gives the subtasks of a stream the state that a checkpoint holds.
#pragma once

#include "actors/dataflow/snapshot.hpp"
#include "actors/plan/stage_plan.hpp"
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

/// Live entries of the restored epoch, in any order. The views live until the next call.
class state_source {
public:
  virtual ~state_source() = default;
  /// False at the end. Erases do not come.
  [[nodiscard]] virtual result<bool> next(state_chunk::entry& out) = 0;
};

/// Whatever the parallelism was: each entry goes to the instance that owns its key group now, those
/// without a key to all. Then the subtasks go on from `start.epoch`. Blocks on the source.
[[nodiscard]] result<void> restore_state(const stage_plan& plan, const stream_start& start,
                                         state_source& entries, supervisor_setup& setup);

} // namespace ebb
