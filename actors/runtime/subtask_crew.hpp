/// The actors of a stream's subtasks as one process has them: its own, and stand-ins for the rest.
#pragma once

#include "actors/runtime/snapshot_writer.hpp"
#include "actors/runtime/supervisor.hpp"

#include <vector>

namespace ebb {

/// For the snapshot writer of this process, but for its coordinator. `setup` has checkpoints.
[[nodiscard]] snapshot_writer_setup writer_of(const supervisor_setup& setup);

/// Spawns them, monitored by `self`, and introduces those of other parts to `setup.peers`. Subtasks
/// are taken out of the setup.
[[nodiscard]] std::vector<subtask_actor> spawn_crew(supervisor_actor::pointer self,
                                                    supervisor_setup& setup,
                                                    const coordinator_actor& coordinator,
                                                    const snapshot_writer_actor& writer);

/// Tells those of this process their far ends, before the first one runs, then starts them.
void start_crew(supervisor_actor::pointer self, const std::vector<subtask_wiring>& wiring,
                const std::vector<subtask_actor>& crew);

} // namespace ebb
