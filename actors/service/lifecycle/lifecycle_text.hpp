/// Words for people.
#pragma once

#include "schemas/types.hpp"

#include <string>

namespace ebb {

/// `350 ms`, `12 s`, `5 min`, `3 h`, `2 d`: rounded down to one unit; `ever` for max_time.
[[nodiscard]] std::string duration_text(micros x);

} // namespace ebb
