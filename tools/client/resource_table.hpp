/// Streams, topics and functions as tables.
#pragma once

#include "tools/client/json.hpp"
#include "tools/client/kinds.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb::client {

/// The header and a row for each item, aligned; a line each. `now` in microseconds since 1970.
[[nodiscard]] std::vector<std::string> resource_lines(const kind_names& kind, const json& items,
                                                      std::int64_t now);

} // namespace ebb::client
