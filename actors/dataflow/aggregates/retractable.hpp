/// Aggregates over rows that may be taken back.
#pragma once

#include "actors/dataflow/aggregate.hpp"

#include <string_view>

namespace ebb {

/// The overload that takes deletions for the same call: `plain` itself where it does, one that
/// keeps more where that suffices. Null where all values must be kept (min, max, string_agg, …).
/// DISTINCT and ORDER BY are not looked at.
[[nodiscard]] const aggregate_function* find_retractable(const aggregate_function& plain);

/// Repeated values change nothing: DISTINCT may be left out.
[[nodiscard]] bool ignores_repeats(std::string_view aggregate) noexcept;

} // namespace ebb
