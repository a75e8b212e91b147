/// What the values of an operator's state are, by the names of columns: two plans whose states have
/// the same types may keep different things.
#pragma once

#include "actors/plan/column_words.hpp"
#include "actors/plan/stage_plan.hpp"

#include <string>
#include <vector>

namespace ebb {

/// `keys auction; count(), sum(price)`. The same at every parallelism and in every spelling. Holds no
/// control characters.
/// `step` keeps state.
[[nodiscard]] std::string state_shape(const stage_plan& plan, const stage& at,
                                      const stage_step& step, column_words& words);

/// Of an aggregate's calls (of an OVER, those with an aggregate function), in order: `sum(price)`,
/// `count(DISTINCT bidder)`; `count` where there is nothing to name.
[[nodiscard]] std::vector<std::string> call_names(const stage_plan& plan, const stage& at,
                                                  const stage_step& step);

} // namespace ebb
