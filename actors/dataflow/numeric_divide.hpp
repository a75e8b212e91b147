/// Division of 128-bit decimals. Internal to the numeric sources and kernels.
#pragma once

#include "actors/dataflow/numeric_small.hpp"

namespace ebb {

/// a / b (b ≠ 0) with PostgreSQL's scale, rounded half away from zero; false when a step does not
/// fit 127 bits. Scales are ≥ 0.
[[nodiscard]] bool divide_small(int128 a, int a_scale, int128 b, int b_scale, int128& quotient,
                                int& scale) noexcept;

} // namespace ebb
