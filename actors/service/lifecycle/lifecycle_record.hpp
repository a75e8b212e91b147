/// What is durable about a stream's sleeping and waking, and the words for it.
#pragma once

#include "schemas/types.hpp"

#include <cstdint>
#include <string>

namespace ebb {

enum class lifecycle_phase : std::uint8_t {
  asleep,         ///< a record and a subscription, nothing else
  waking,         ///< wants to run and does not yet
  running,        ///< a worker has it
  going_to_sleep, ///< the worker ends its run, or its end is being recorded
  stopped,        ///< a person wakes it, nothing else does
  failed,         ///< it will never work as it is: waits for a person
};

/// `Asleep`, `GoingToSleep` …: as the API shows it.
[[nodiscard]] const char* to_string(lifecycle_phase x) noexcept;

/// Why a stream is in its phase.
enum class lifecycle_reason : std::uint8_t {
  created,        ///< it is new
  input,          ///< a topic that it reads has more than it has read
  alarm,          ///< a timer of its own is due
  person,         ///< a person asked for it
  changed,        ///< its definition is another one now
  restored,       ///< it goes back to a savepoint
  adopting,       ///< the control process is new and waits for the worker that has it
  adopted,        ///< the worker that had it has it still
  idle,           ///< nothing happened for long enough
  crashed,        ///< its run ended with an error
  worker_lost,    ///< its worker is gone
  start_too_slow, ///< it did not start in time
  stop_too_slow,  ///< it did not end its run in time
  silent,         ///< nothing was heard of it for too long
  completed,      ///< its input has ended and all of its output is in
  deleted,
  will_not_work, ///< an error that another try does not heal
  restarted,     ///< it ran when the service was ended, and goes on with the next start
};

/// `InputArrived`, `Completed` …: as the API shows it.
[[nodiscard]] const char* to_string(lifecycle_reason x) noexcept;

/// Where a stream is to end.
enum class lifecycle_aim : std::uint8_t { awake, asleep, stopped, deleted };

/// Enough to go on after the control process was killed at any instant. Positions are not here:
/// they are those of the stream's newest checkpoint record, which is durable before a run ends.
struct lifecycle_record {
  /// asleep, running (= awake or to be woken), stopped, failed
  lifecycle_phase phase = lifecycle_phase::running;
  lifecycle_reason reason = lifecycle_reason::created;
  lifecycle_aim aim = lifecycle_aim::awake;
  bool placed = false; ///< a worker may have `placement`
  micros since = 0;
  micros next_wake = max_time;  ///< asleep: its alarm
  std::uint64_t placement = 0;  ///< highest number given out so far; 0 = none
  std::uint64_t definition = 0; ///< what it was placed with last
  std::uint32_t failures = 0;   ///< in a row
  micros retry_at = 0;          ///< not placed again before
  micros wake_took = 0;         ///< what its wakes cost, smoothed
  std::string message;          ///< of the last failure; may be empty
  std::string hint;

  bool operator==(const lifecycle_record&) const = default;
};

/// Rules for one stream; streams with equal ones share them. Durations in microseconds.
struct lifecycle_policy {
  micros idle_after = 60 * micros_per_second; ///< max_time = never
  std::string cannot_wake; ///< a source that cannot wake the stream; empty = there is none
  /// A run lasts at least `awake_min` and `awake_pays` times what the wake took, at most awake_max.
  micros awake_min = micros_per_second;
  micros awake_max = 60 * micros_per_second;
  std::int64_t awake_pays = 20;
  micros backoff_min = micros_per_second;
  micros backoff_max = 300 * micros_per_second;
  micros well_after = 60 * micros_per_second;    ///< a run this long forgets earlier failures
  micros grant_within = 30 * micros_per_second;  ///< then it asks the wake queue again
  micros start_within = 30 * micros_per_second;  ///< then the placement is killed
  micros stop_within = 60 * micros_per_second;   ///< then the placement is killed
  micros silent_after = 30 * micros_per_second;  ///< a run of which no status comes is killed
  micros adopt_within = 10 * micros_per_second;  ///< then it gets a new placement
  micros answer_within = 10 * micros_per_second; ///< of a comparison; then asked again
  micros record_retry_max = 30 * micros_per_second;
};

} // namespace ebb
