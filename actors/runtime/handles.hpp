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
    // The coordinator asks for a checkpoint.
    caf::reacts_to<checkpoint_request>,
    // The last checkpoint is committed: write what is left to write, and end.
    caf::reacts_to<conclude_atom, generation_number>,
    // Restored state that it has asked for.
    caf::reacts_to<state_read>,
    // The stream has failed: give up and quit.
    caf::reacts_to<abandon_atom>>;

/// Starts the checkpoints of one stream and commits them.
using coordinator_actor = caf::typed_actor<
    // The subtasks, once.
    caf::reacts_to<subtask_list>,
    // Subtask number x has worked off its input.
    caf::reacts_to<drained_atom, generation_number, std::uint32_t>,
    // A process has its part.
    caf::reacts_to<epoch_written>,
    // One of its own I/O jobs is done.
    caf::reacts_to<step_done>,
    // A step that has failed is to be tried again.
    caf::reacts_to<retry_atom>,
    // Look at the clock; the number tells which request.
    caf::reacts_to<timer_atom, std::uint64_t>,
    // A person wants a savepoint.
    caf::reacts_to<savepoint_wish>>;

/// Collects the snapshots of a process's subtasks and makes them durable.
using snapshot_writer_actor = caf::typed_actor<caf::reacts_to<snapshot_part>,
                                               // Its I/O job is done.
                                               caf::reacts_to<step_done>,
                                               // A write that has failed is to be tried again.
                                               caf::reacts_to<retry_atom>>;

/// Starts the subtasks of one stream, watches them and tells its outcome.
using supervisor_actor = caf::typed_actor<
    // Everything is connected: begin.
    caf::reacts_to<start_atom>,
    // Subtask number x has sent and written everything; true: it was cut off by an interrupt.
    caf::reacts_to<done_atom, std::uint32_t, bool>,
    // Subtask number x has failed.
    caf::reacts_to<failure, std::uint32_t>,
    // Checkpoints cannot go on.
    caf::reacts_to<failure>,
    // A person wants a savepoint.
    caf::reacts_to<savepoint_wish>,
    // Ctrl-C.
    caf::reacts_to<interrupt_atom>>;

} // namespace ebb
