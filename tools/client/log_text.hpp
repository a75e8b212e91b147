/// A line of a stream's log, as people read it.
#pragma once

#include "tools/client/json.hpp"

#include <string>

namespace ebb::client {

/// `TIME LEVEL message key=value …`.
[[nodiscard]] std::string log_text(const json& line);

} // namespace ebb::client
