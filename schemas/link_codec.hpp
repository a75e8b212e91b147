/// Messages of links as bytes (link.capnp).
#pragma once

#include "schemas/buffer.hpp"
#include "schemas/error.hpp"
#include "schemas/link_records.hpp"

#include <cstddef>

namespace ebb {

/// One Cap'n Proto message of a single segment, with its segment table. Rows are encoded here, too.
/// Thread-safe.
[[nodiscard]] buffer_ptr encode(const link_message& x);

/// Of `size` bytes that may be of any content, at an address that 8 divides. Batches own their
/// bytes. ec::unsupported: another version of the messages, or a message that this one does not
/// know; ec::corrupt: no such message.
[[nodiscard]] result<link_message> decode_link_message(const buffer_ptr& bytes, std::size_t size);

} // namespace ebb
