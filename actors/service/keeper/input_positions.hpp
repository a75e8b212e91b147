/// How far a stream's checkpoint has read its topics.
#pragma once

#include "schemas/control_records.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

/// Offset of the row to read next, by topic (uid) and partition; the lowest where several sources
/// read one. Sources of other kinds are left out.
[[nodiscard]] std::map<std::pair<std::string, std::uint32_t>, std::uint64_t>
input_positions(const checkpoint_record& x);

class control_records;

/// Lowest offset of each partition of the topic that a record of a stream stands at, or a savepoint
/// that can be gone back to; 0 where a stream that reads it has no record yet. Blocks.
[[nodiscard]] std::vector<std::uint64_t>
needed_offsets(control_records& records, const std::string& topic, std::uint32_t partitions);

} // namespace ebb
