/// Messages between the workers that share a stream, within those of links. Internal to the codecs
/// of links; the reader throws kj::Exception where a value is not known.
#pragma once

#include "schemas/link.capnp.h"
#include "schemas/peer_records.hpp"

#include <vector>

namespace ebb::link_wire {

/// The rows of its items as bytes, to be written once the message's size is known.
/// Views rows in the message's own bytes; null for no bytes.
[[nodiscard]] batch_ptr view_rows(capnp::Data::Reader from, const buffer_ptr& message);

[[nodiscard]] std::vector<buffer_ptr> encode_rows(const peer_message& x);

void write(wire::PeerMessage::Builder to, const peer_message& x,
           const std::vector<buffer_ptr>& rows);

/// `message`: all bytes that `from` lies in. Its batches keep them.
[[nodiscard]] peer_message read(wire::PeerMessage::Reader from, const buffer_ptr& message);

} // namespace ebb::link_wire
