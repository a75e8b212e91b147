/// Looks after a stream's subtasks in a process other than that of part 0.
#pragma once

#include "actors/runtime/supervisor.hpp"

#include <vector>

namespace ebb {

struct part_supervisor_state {
  static inline const char* name = "part-supervisor";

  std::shared_ptr<supervisor_setup> setup;
  std::vector<subtask_actor> crew;
  coordinator_actor coordinator;
  snapshot_writer_actor writer;
  std::vector<bool> reported; ///< by subtask: part 0 knows that it ends
  std::uint32_t left = 0;     ///< of its own subtasks
  bool lost = false;          ///< a channel has closed
};

/// Reports to part 0 what becomes of the subtasks, and ends when a channel has closed. Of the
/// setup, `checkpoints` says how the part's state is written (generation, store, jobs); the outcome
/// is not set. `concluded` is called when it has ended, and with it its subtasks.
supervisor_actor::behavior_type
part_supervisor(supervisor_actor::stateful_pointer<part_supervisor_state> self,
                std::shared_ptr<supervisor_setup> setup);

} // namespace ebb
