/// Lists of objects as aligned tables.
#pragma once

#include "tools/client/json.hpp"

#include <string>
#include <vector>

namespace ebb::client {

/// `lastTransitionTime` → `LAST TRANSITION TIME`.
[[nodiscard]] std::string heading_of(const std::string& key);

/// Columns are the keys of the first object, then those that others add; columns of numbers stand
/// right. Objects in a cell are `key=value …`, lists `a, b`. Values that are no objects make one
/// column. Control characters are shown as spaces.
[[nodiscard]] std::string json_table(const json& items);

/// Text for a cell: without line ends and other control characters.
[[nodiscard]] std::string cell_of(const std::string& text);

} // namespace ebb::client
