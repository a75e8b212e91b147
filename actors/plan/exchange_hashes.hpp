/// Whether an exchange need not hash the keys again.
#pragma once

#include "actors/dataflow/operator_spec.hpp"

#include <cstdint>
#include <vector>

namespace ebb {

/// The batches that the operator gives carry hashes of these columns, or none.
[[nodiscard]] bool hashes_come_along(const operator_spec& spec,
                                     const std::vector<std::uint32_t>& columns);

} // namespace ebb
