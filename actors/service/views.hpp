/// What the API shows of streams and topics, as JSON.
#pragma once

#include "actors/gateway/http_request.hpp"
#include "actors/runtime/state_rows.hpp"
#include "actors/service/apply_plan.hpp"
#include "actors/service/keeper/keeper.hpp"
#include "actors/service/topics/topic_registry.hpp"
#include "schemas/control_records.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// What the keeper knows of a stream, copied for another thread.
struct stream_view {
  std::string uid;
  std::string name; ///< qualified
  lifecycle_phase phase = lifecycle_phase::asleep;
  std::string reason;
  std::string message;
  micros since = 0;
  micros next_wake = max_time;
  std::uint64_t generation = 0;
  std::vector<std::uint64_t> workers;
  std::uint32_t parallelism = 0;
  bool ready = false; ///< a message would be taken
  std::optional<stream_status> status;
  micros alarm_since = 0; ///< when its checkpoints were held up, or no more; 0 = they never were
  std::vector<std::string> notes;
};

[[nodiscard]] stream_view view_of(const keeper& all, const stream_slot& x, micros now);

/// A resource as `get` shows it. `entry` and `newest` come from the control database.
[[nodiscard]] std::string stream_json(const stream_view& x, const stream_entry& entry,
                                      const std::optional<checkpoint_record>& newest);

[[nodiscard]] std::string topic_json(const topic_entry& entry, const topic_usage& usage,
                                     const std::vector<std::string>& users);

/// `items` are JSON objects. `next` is left out where it is empty.
[[nodiscard]] std::string page_json(const std::vector<std::string>& items, const std::string& next);

[[nodiscard]] std::string applied_json(const apply_plan& x);
[[nodiscard]] std::string operation_json(const operation& x);
[[nodiscard]] std::string why_json(const stream_view& x, const std::vector<std::string>& sentences);

[[nodiscard]] std::string state_json(const state_rows& x);

/// Checkpoints that the stream can be restored from, newest first, then its savepoints. `given_up`:
/// names of those that it cannot go back to.
[[nodiscard]] std::string checkpoints_json(const std::vector<checkpoint_record>& records,
                                           const std::vector<savepoint_entry>& savepoints,
                                           const std::vector<std::string>& given_up,
                                           std::size_t limit);

} // namespace ebb
