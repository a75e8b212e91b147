/// What the values of an operator's state are, by the names of columns: two plans whose states have
/// the same types may keep different things.
#pragma once

#include "actors/plan/stage_plan.hpp"

#include <string>

namespace ebb {

/// `keys auction; count(), sum(price)`. The same at every parallelism. Holds no control characters.
/// `step` keeps state.
[[nodiscard]] std::string state_shape(const stage_plan& plan, const stage& at,
                                      const stage_step& step);

} // namespace ebb
