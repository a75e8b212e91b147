/// How far a stream's checkpoint has read its topics.
#pragma once

#include "schemas/control_records.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace ebb {

/// Offset of the row to read next, by topic (uid) and partition; the lowest where several sources
/// read one. Sources of other kinds are left out.
[[nodiscard]] std::map<std::pair<std::string, std::uint32_t>, std::uint64_t>
input_positions(const checkpoint_record& x);

} // namespace ebb
