/// What is different between two states of one operator, in the words of a query. Pure.
#pragma once

#include "actors/plan/pinned_plan.hpp"

#include <string>

namespace ebb {

/// `window tumble of 2 hours, before tumble of 1 hour`; several with `; ` between. The states do not
/// fit each other.
[[nodiscard]] std::string difference_in_words(const kept_state& before, const kept_state& now);

} // namespace ebb
