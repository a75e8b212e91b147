/// Starts the subtasks of one stream, watches them, and says how it went.
#pragma once

#include "actors/runtime/coordinator.hpp"
#include "actors/runtime/handles.hpp"
#include "actors/runtime/stream_peers.hpp"
#include "actors/runtime/subtask_host.hpp"
#include "actors/runtime/subtask_roll.hpp"

#include <caf/stateful_actor.hpp>

#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ebb {

/// Far ends of a subtask's channels, by subtask number.
struct subtask_wiring {
  struct end {
    std::uint32_t subtask = 0;
    std::uint32_t port = 0;
    std::uint32_t lane = 0;
  };

  std::vector<std::vector<end>> outputs; ///< [output][target]
  std::vector<std::vector<end>> inputs;  ///< [input][channel]
};

/// How a stream went. Thread-safe.
class stream_outcome {
public:
  struct value {
    std::optional<error> problem;
    bool cut = false; ///< interrupted before the end of its input
  };

  void set(value x);
  /// Empty while the stream runs.
  [[nodiscard]] std::optional<value> get() const;

private:
  mutable std::mutex mutex_;
  std::optional<value> value_;
};

/// What a supervisor is spawned with.
struct supervisor_setup {
  std::vector<subtask_setup> subtasks;
  std::vector<subtask_wiring> wiring;
  std::shared_ptr<stream_outcome> outcome;
  std::function<void()> concluded; ///< called from the actor's thread when the outcome is set
  std::optional<checkpoint_setup> checkpoints; ///< nothing = none are made
  std::shared_ptr<stream_peers> peers;         ///< null = all subtasks are in this process
  std::uint32_t part = 0;                      ///< of the stream
};

struct supervisor_state {
  static inline const char* name = "supervisor";

  std::vector<subtask_actor> subtasks;
  coordinator_actor coordinator; ///< null without checkpoints
  snapshot_writer_actor writer;  ///< null without checkpoints
  std::optional<subtask_roll> roll;
  std::shared_ptr<stream_peers> peers; ///< or null
  std::shared_ptr<stream_outcome> outcome;
  std::function<void()> concluded;
};

/// Of a stream, or of its part 0, which tells the others to begin and to end. Spawns the subtasks
/// at once; they begin with `start`. The setup is taken out of the pointer.
supervisor_actor::behavior_type
supervisor(supervisor_actor::stateful_pointer<supervisor_state> self,
           std::shared_ptr<supervisor_setup> setup);

} // namespace ebb
