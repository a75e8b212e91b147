/// One stream as the keeper has it.
#pragma once

#include "actors/service/lifecycle/stream_lifecycle.hpp"
#include "schemas/link_records.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// A person's wish to go back to a savepoint, until the start that does. The control database has
/// it, too, and forgets it with the rewinding itself.
struct restore_wish {
  std::string savepoint;
  link_past_output past_output = link_past_output::refuse;
};

/// What only a stream that is not asleep has.
struct awake_part {
  std::optional<stream_status> status; ///< the last one
  micros alarm_since = 0;              ///< when its checkpoints were held up, or no more
  std::vector<std::string> notes;      ///< of its start
  std::optional<restore_wish> restore;
};

struct stream_slot {
  std::string uid;
  std::string name;              ///< qualified
  std::uint32_t parallelism = 0; ///< a person's wish; 0 = as in the manifest
  std::uint32_t workers = 1;     ///< that it is spread over, at most
  /// Uids of topics, each once. Not changed: another list takes its place.
  std::shared_ptr<const std::vector<std::string>> inputs = {};
  std::vector<std::string> outputs = {};
  stream_lifecycle life;
  micros timer = max_time;                   ///< entry in the keeper's timers
  std::optional<lifecycle_phase> shown = {}; ///< the phase that the world knows
  bool armed = false;
  bool pumping = false; ///< effects are being carried out, in their order
  std::unique_ptr<awake_part> awake = nullptr;
};

} // namespace ebb
