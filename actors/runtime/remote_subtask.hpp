/// Stand-ins for actors of a stream that live in another process: what they are sent goes there.
#pragma once

#include "actors/runtime/stream_peers.hpp"

namespace ebb {

struct remote_subtask_setup {
  std::uint32_t number = 0; ///< among the stream's subtasks
  std::uint32_t part = 0;   ///< that it runs in
  std::shared_ptr<stream_peers> peers;
  supervisor_actor supervisor; ///< it ends with it
};

/// Ends when it is abandoned, or when its subtask has ended (stream_peers).
subtask_actor::behavior_type remote_subtask(subtask_actor::pointer self,
                                            const remote_subtask_setup& setup);

/// Of the coordinator, which part 0 has. Ends with `supervisor`.
coordinator_actor::behavior_type remote_coordinator(coordinator_actor::pointer self,
                                                    const std::shared_ptr<stream_peers>& peers,
                                                    const supervisor_actor& supervisor);

} // namespace ebb
