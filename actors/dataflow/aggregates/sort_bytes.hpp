/// Rows made comparable as bytes, for ORDER BY and DISTINCT inside aggregates. Internal to the
/// folder.
#pragma once

#include "actors/dataflow/aggregate.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// Appends bytes whose order is that of value i under `key` (its column index is not looked at).
/// No encoding is the beginning of another, so keys may be strung together.
void append_sort_bytes(const column& x, std::uint32_t i, const sort_key& key, std::string& out);

} // namespace ebb
