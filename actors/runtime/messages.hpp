/// What the actors of one process say to each other. All of it stays in the process: batches travel
/// as pointers, so no message here can be serialised.
#pragma once

#include "actors/dataflow/channel_item.hpp"
#include "schemas/error.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/atom.hpp>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ebb {

using start_atom = caf::atom_constant<caf::atom("start")>;
using run_atom = caf::atom_constant<caf::atom("run")>;
using timer_atom = caf::atom_constant<caf::atom("timer")>;
using wake_atom = caf::atom_constant<caf::atom("wake")>;
using interrupt_atom = caf::atom_constant<caf::atom("interrupt")>;
using abandon_atom = caf::atom_constant<caf::atom("abandon")>;
using done_atom = caf::atom_constant<caf::atom("done")>;

/// Fences one incarnation of a stream's actors; a receiver drops what another one sent.
using generation_number = std::uint64_t;

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

/// Why a subtask ended before its work was done.
struct failure {
  error problem;
};

} // namespace ebb

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::arrival)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::credit_return)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::subtask_links)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(ebb::failure)
