#include "storage/topic_reading.hpp"

#include "storage/topic_batches.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace ebb {

result<void> read_topic_file(const topic_file& from, const lmdb_transaction& in,
                             std::uint32_t partition, std::uint64_t end, topic_room& room,
                             topic_slice& slice) {
  const auto damaged = [&](const std::string& what) {
    return from.damaged(fmt::format("{}, partition {}, offset {}", what, partition, slice.next));
  };
  const auto visit = [&](std::string_view key, std::string_view value) -> result<bool> {
    if (!slice.batches.empty() && value.size() > room.bytes) {
      room.full = true;
      return false;
    }
    const auto stored = check_stored_batch(key, value);
    if (!stored)
      return damaged(stored.error().message);
    // Only the first may begin before what is asked for.
    const bool fits = stored->first <= slice.next && slice.next < stored->first + stored->rows;
    if (!fits || (stored->first != slice.next && !slice.batches.empty()))
      return damaged("rows are missing");
    auto rows = read_stored_batch(value);
    if (!rows || rows->rows != stored->rows)
      return damaged(rows ? "a batch has another number of rows" : rows.error().message);
    const auto skipped = static_cast<std::uint32_t>(slice.next - stored->first);
    const auto taken =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(stored->rows - skipped, room.rows));
    if (taken != stored->rows)
      *rows = ebb::slice(*rows, skipped, taken);
    slice.batches.push_back(
        {slice.next, stored->time, std::make_shared<const batch>(*std::move(rows))});
    slice.next += taken;
    room.rows -= taken;
    room.bytes -= std::min(room.bytes, value.size());
    room.full = room.rows == 0 || room.bytes == 0;
    return !room.full && slice.next < end;
  };
  EBB_TRY(from.scan(in, partition, slice.next, visit));
  if (slice.next > end || (slice.next < end && !room.full))
    return damaged("rows are missing");
  return {};
}

} // namespace ebb
