/// eventTime.maxAhead: rows whose times are too far ahead of the clock are bad records.
#pragma once

#include "actors/plan/manifest.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ebb {

/// The column of the source's event time, where it has such a bound.
[[nodiscard]] std::optional<std::uint32_t> bounded_time_column(const source_definition& source);

/// What is said of a time behind the bound.
[[nodiscard]] std::string ahead_message(micros time);

} // namespace ebb
