/// Batches as bytes: the one form on wires and disks (schemas/batch.capnp).
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <span>

namespace ebb {

/// One Cap'n Proto message of a single segment (8-byte aligned size). Origin and partition stay
/// behind: they mean something only beside the source. Thread-safe.
[[nodiscard]] buffer_ptr encode_batch(const batch& rows);

/// Views a batch in the first `size` bytes of `message`, which it keeps alive: fixed-width values
/// are not copied. Lengths, offsets, types and scales are checked first, so that bytes from
/// anywhere give a sound batch or an error, never a bad read. Bytes may be of any content.
[[nodiscard]] result<batch> view_batch(const buffer_ptr& message, std::size_t size);

/// Largest message that `view_batch` takes: a batch is at most 256 KiB unless one row is larger,
/// and a row is at most 16 MiB.
inline constexpr std::size_t batch_message_max = std::size_t{64} << 20;

} // namespace ebb
