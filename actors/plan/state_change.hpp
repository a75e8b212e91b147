/// Whether a changed plan can go on with the state that an older one has left. Pure.
#pragma once

#include "actors/plan/stage_plan.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// A line for each operator with state: its identity, a tab, and what its state is made of. Does
/// not depend on the parallelism.
[[nodiscard]] std::string state_signature(const stage_plan& plan);

/// Identities of operators, by what becomes of their state.
struct state_change {
  std::vector<std::string> kept;
  std::vector<std::string> added;   ///< begin with empty state
  std::vector<std::string> removed; ///< their state is no longer used
  std::vector<std::string> changed; ///< the same operator, another kind of state

  /// Only these need a person's word: an added operator has nothing to lose.
  [[nodiscard]] bool fits() const noexcept {
    return removed.empty() && changed.empty();
  }

  /// What does not fit, for a message.
  [[nodiscard]] std::string text() const;
};

/// `before` is empty for a stream without state.
[[nodiscard]] state_change compare_state(std::string_view before, std::string_view now);

} // namespace ebb
