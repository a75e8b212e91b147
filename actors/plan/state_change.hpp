/// Whether a changed plan can go on with the state that an older one has left. Pure.
#pragma once

#include "actors/plan/pinned_plan.hpp"
#include "actors/plan/stage_plan.hpp"
#include "schemas/error.hpp"

#include <span>
#include <string>
#include <vector>

namespace ebb {

/// What the plan's operators keep, in the order of the plan. Does not depend on the parallelism.
[[nodiscard]] std::vector<kept_state> kept_states(const stage_plan& plan);

/// What a plan keeps, and of whom others keep what it made.
struct planned_state {
  std::vector<kept_state> states;
  std::vector<change_path> paths; ///< change_paths.hpp
};

[[nodiscard]] planned_state planned_state_of(const stage_plan& plan,
                                             const stream_definition& stream);

/// Identities of operators, by what becomes of their state.
struct state_change {
  std::vector<std::string> kept;
  std::vector<std::string> added;       ///< begin with empty state
  std::vector<std::string> removed;     ///< their state is no longer used
  std::vector<std::string> changed;     ///< the same operator, other state
  std::vector<std::string> differences; ///< of each of `changed`, for a message
  std::vector<std::string> other_rows;  ///< takers of changes of rows that they lack, for a message
  std::vector<std::string> to_empty;    ///< state that must go before those others may come

  /// Only these need a person's word: an added operator has nothing to lose, but where it would take
  /// back rows that came before it.
  [[nodiscard]] bool fits() const noexcept {
    return removed.empty() && changed.empty() && other_rows.empty();
  }

  /// What does not fit, for a message.
  [[nodiscard]] std::string text() const;
};

/// `before` is empty for a stream without state.
[[nodiscard]] state_change compare_state(std::span<const kept_state> before,
                                         std::span<const kept_state> now);

/// A manifest that is the same makes the same rows, in whatever words this version puts it, but this
/// one may keep rows where another did not: `same_manifest`.
[[nodiscard]] state_change compare_plan(const pinned_plan& before, const planned_state& now,
                                        bool same_manifest);

/// What a person is told of a change that does not fit: the manifest (now of this digest) has
/// changed, or ebb has since it made the plan.
[[nodiscard]] error misfit(const state_change& change, const pinned_plan& before,
                           const std::string& manifest);

} // namespace ebb
