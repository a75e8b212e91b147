/// Rows as a topic's log stores them: batches of at most 64 KiB with a checksum.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"
#include "schemas/topic_records.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// In front of each stored batch: XXH3-128 of all that follows, partition u32, rows u32, offset of
/// its first row u64, append time i64.
inline constexpr std::size_t stored_batch_header = 40;

/// A stored batch with LMDB's header fills whole pages, 64 KiB of them; a single row may be larger.
inline constexpr std::size_t stored_batch_max = (std::size_t{64} << 10) - 16;

/// About what the rows take when they are encoded.
[[nodiscard]] std::size_t wire_size(const batch& x) noexcept;

/// Puts `parts` together and cuts them up, so that each message fits `stored_batch_max`; in order.
[[nodiscard]] result<void> encode_batches(
    std::span<const batch_ptr> parts,
    const std::function<result<void>(const buffer_ptr& message, std::uint32_t rows)>& store);

struct stored_batch {
  std::uint32_t partition = 0;
  std::uint32_t rows = 0;
  std::uint64_t first = 0;
  micros time = 0;
};

/// Writes header and message into `to`, which has room for just them.
void fill_stored_batch(std::span<char> to, const stored_batch& about, const buffer_ptr& message);

/// What a stored batch says it is. ec::corrupt where its checksum differs or it is another one than
/// its key says; without the file's name.
[[nodiscard]] result<stored_batch> check_stored_batch(std::string_view key, std::string_view value);

/// The rows of a checked one, in memory of their own.
[[nodiscard]] result<batch> read_stored_batch(std::string_view value);

/// Rows [first, first + count).
[[nodiscard]] batch slice(const batch& x, std::uint32_t first, std::uint32_t count);

/// Partition u32 and offset u64, big-endian.
[[nodiscard]] std::string rows_key(std::uint32_t partition, std::uint64_t offset);

} // namespace ebb
