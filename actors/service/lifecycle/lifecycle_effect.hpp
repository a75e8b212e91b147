/// What a stream's lifecycle asks of the control process.
#pragma once

#include "actors/service/lifecycle/lifecycle_record.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// When the phases of one wake were reached; processing time, 0 = not reached.
struct wake_trace {
  lifecycle_reason cause = lifecycle_reason::created;
  std::uint64_t placement = 0;
  micros trigger = 0; ///< the message was appended, the timer was due, the person asked
  micros decide = 0;
  micros grant = 0;
  micros place = 0; ///< the placement was durable and given to a worker
  micros start = 0;
  micros map = 0;          ///< its state was in place
  micros first_record = 0; ///< the first row was read
  micros first_output = 0;
  std::string parent = {}; ///< W3C traceparent of the request that was the cause; empty = none was

  bool operator==(const wake_trace&) const = default;
};

/// To be carried out in the order in which they come. Every `place` is followed, in the end, by
/// one `release` or `kill` of its number.
struct lifecycle_effect {
  enum class kind : std::uint8_t {
    /// Make `record` durable, in one transaction with what belongs to it (aim `deleted`: the
    /// stream's deletion), then `recorded(number, …)`. One at a time; the same may come again.
    record,
    /// Subscribe to all topics that the definition reads: `input_moved` after every append.
    arm,
    disarm,
    /// Compare, after having done the effects before, the ends of these topics with the positions
    /// of the stream's newest checkpoint record; then `compared(number, …)`.
    compare,
    /// Enter the wake queue (once; it may ask again); then `granted` or `refused`.
    ask_grant,
    /// Leave the wake queue, waiting or started.
    give_back,
    /// Let a worker run `definition` as `placement`; on the worker of `after` if that is not 0.
    place,
    /// Tell the worker to end the run with a final checkpoint; then `ended`.
    stop,
    /// Refuse all calls of `placement` from now on, let its worker drop it, and end a worker that
    /// does not say that it has; its place is free.
    kill,
    /// The run has ended and nobody needs it any more: let the worker forget it; its place is free.
    release,
    /// Make `text`, a savepoint, the newest record; then `rewound(…)`. After ec::io and
    /// ec::resource,
    /// whose outcome is not known, the same comes again; other errors say that nothing has changed.
    rewind,
    /// Keep `text`: what was decided, with inputs and reason.
    log_decision,
    /// Keep `trace`: a wake is over.
    log_wake,
    /// The last one of a deleted stream: drop the object.
    forget,
  };

  kind what = kind::record;
  std::uint64_t placement = 0;
  std::uint64_t after = 0;
  std::uint64_t definition = 0;
  std::uint32_t number = 0;
  lifecycle_reason cause = lifecycle_reason::created;
  std::string text;
  lifecycle_record record;
  wake_trace trace;
};

[[nodiscard]] const char* to_string(lifecycle_effect::kind x) noexcept;

} // namespace ebb
