/// What the actors of one process say to each other. All of it stays in the process: batches travel
/// as pointers, so no message here can be serialised.
#pragma once

#include "actors/dataflow/channel_item.hpp"
#include "actors/dataflow/cold_ranges.hpp"
#include "actors/runtime/checkpoint_store.hpp"
#include "schemas/error.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

using start_atom = caf::atom_constant<caf::atom("start")>;
using run_atom = caf::atom_constant<caf::atom("run")>;
using timer_atom = caf::atom_constant<caf::atom("timer")>;
using wake_atom = caf::atom_constant<caf::atom("wake")>;
using interrupt_atom = caf::atom_constant<caf::atom("interrupt")>;
using abandon_atom = caf::atom_constant<caf::atom("abandon")>;
using drained_atom = caf::atom_constant<caf::atom("drained")>;
using conclude_atom = caf::atom_constant<caf::atom("conclude")>;
using retry_atom = caf::atom_constant<caf::atom("retry")>;
using done_atom = caf::atom_constant<caf::atom("done")>;

/// Fences one incarnation of a stream's actors; a receiver drops what another one sent.
using generation_number = std::uint64_t;

/// All subtasks of a stream, by number.
struct subtask_list {
  std::vector<caf::strong_actor_ptr> subtasks;
};

/// Items of one channel, in order.
struct arrival {
  generation_number generation = 0;
  std::uint32_t input = 0;   ///< of the receiver
  std::uint32_t channel = 0; ///< of that input
  std::vector<channel_item> items;
};

/// The receiver of a channel has taken so many bytes from it.
struct credit_return {
  generation_number generation = 0;
  std::uint32_t output = 0; ///< of the receiver of this message
  std::uint32_t target = 0;
  std::size_t bytes = 0;
};

/// The far end of a channel: an actor and how it numbers the channel.
struct channel_end {
  caf::strong_actor_ptr actor;
  std::uint32_t port = 0; ///< input or output
  std::uint32_t lane = 0; ///< channel or target
};

/// All far ends of a subtask.
struct subtask_links {
  std::vector<std::vector<channel_end>> outputs; ///< [output][target]
  std::vector<std::vector<channel_end>> inputs;  ///< [input][channel]
};

/// Coordinator to subtask: take part in a checkpoint (`subtask::begin_checkpoint`).
struct checkpoint_request {
  generation_number generation = 0;
  epoch_number epoch = 0;
  epoch_number base = 0;
  bool whole = false;
};

/// Subtask to the snapshot writer of its process.
struct snapshot_part {
  generation_number generation = 0;
  std::uint32_t subtask = 0;
  snapshot_ptr snapshot;
  snapshot_moments when = {};
};

/// From an I/O job to its subtask: restored state that it has asked for.
struct state_read {
  std::vector<cold_span> ranges;
  std::shared_ptr<const state_chunk> entries;
  std::optional<error> problem;
};

/// Snapshot writer to coordinator: everything of the process is durable.
struct epoch_written {
  generation_number generation = 0;
  std::uint32_t process = 0;
  epoch_number epoch = 0;
  written_part part;
};

enum class durable_step : std::uint8_t { reserve, write, commit, apply, maintain };

/// From an I/O job: a durable step of the coordinator or of the snapshot writer is done, or failed.
struct step_done {
  durable_step what = durable_step::reserve;
  epoch_number epoch = 0; ///< reserve: the first of the block
  std::optional<error> problem;
  bool again = true;                   ///< what has failed may be tried again
  bool more = false;                   ///< maintain: there is more to do
  std::optional<segment_info> segment; ///< of the snapshot writer
  std::vector<std::size_t> taken;      ///< commit: savepoints that are not made, by place
  std::optional<error> refusal;        ///< why they are not; none: their names are taken
};

/// A savepoint is wished. The answer comes when it is recorded, or has failed.
struct savepoint_wish {
  std::string name;
  std::function<void(const result<epoch_number>&)> answer; ///< called by the coordinator, once
};

/// Why a subtask ended before its work was done.
struct failure {
  error problem;
};

} // namespace ebb

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::arrival)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::credit_return)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::subtask_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::subtask_list)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::failure)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::checkpoint_request)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::snapshot_part)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::state_read)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::epoch_written)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::step_done)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::savepoint_wish)
