/// Every actor's protocol.
#pragma once

#include "actors/runtime/messages.hpp"

#include <caf/typed_actor.hpp>

namespace ebb {

/// Runs one subtask.
using subtask_actor = caf::typed_actor<
    // Where its channels lead; comes first, once.
    caf::reacts_to<subtask_links>,
    // All are connected: begin. Nothing is done before.
    caf::reacts_to<start_atom>,
    // Items of an input channel.
    caf::reacts_to<arrival>,
    // Credit for an output channel.
    caf::reacts_to<credit_return>,
    // Work for one slice; the subtask sends it to itself while there is more to do.
    caf::reacts_to<run_atom>,
    // The time that the subtask asked to be called at has come; the number tells which request.
    caf::reacts_to<timer_atom, std::uint64_t>,
    // A reader or writer has something new (from the I/O pool).
    caf::reacts_to<wake_atom>,
    // Sources stop; what is in flight is drained.
    caf::reacts_to<interrupt_atom>,
    // The stream has failed: give up and quit.
    caf::reacts_to<abandon_atom>>;

/// Starts the subtasks of one stream, watches them and tells its outcome.
using supervisor_actor = caf::typed_actor<
    // Everything is connected: begin.
    caf::reacts_to<start_atom>,
    // Subtask number x has sent and written everything; true: it was cut off by an interrupt.
    caf::reacts_to<done_atom, std::uint32_t, bool>,
    // Subtask number x has failed.
    caf::reacts_to<failure, std::uint32_t>,
    // Ctrl-C.
    caf::reacts_to<interrupt_atom>>;

} // namespace ebb
