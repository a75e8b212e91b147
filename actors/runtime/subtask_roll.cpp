#include "actors/runtime/subtask_roll.hpp"

#include "schemas/assert.hpp"

#include <string>
#include <utility>

namespace ebb {

subtask_roll::subtask_roll(std::uint32_t subtasks)
    : reported_(subtasks), gone_(subtasks), left_(subtasks) {}

void subtask_roll::done(std::uint32_t subtask, bool cut) {
  reported_[subtask] = true;
  cut_ |= cut;
}

subtask_roll::effect subtask_roll::failed(std::uint32_t subtask, error problem) {
  reported_[subtask] = true;
  return failed_outside(std::move(problem));
}

subtask_roll::effect subtask_roll::failed_outside(error problem) {
  if (problem_)
    return effect::none;
  problem_ = std::move(problem);
  return effect::abandon_others;
}

subtask_roll::effect subtask_roll::down(std::uint32_t subtask) {
  if (gone_[subtask])
    return effect::none;
  gone_[subtask] = true;
  EBB_ASSERT(left_ > 0);
  --left_;
  auto result = effect::none;
  // After the first failure the others quit without a word.
  if (!reported_[subtask] && !problem_)
    result = failed(subtask, make_error(ec::internal, "subtask " + std::to_string(subtask)
                                                          + " stopped without a reason"));
  return left_ == 0 ? effect::conclude : result;
}

} // namespace ebb
