#include "actors/runtime/restore_stream.hpp"

#include "actors/plan/stateful_steps.hpp"
#include "actors/runtime/build_stream.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

result<void> restore_state(const stage_plan& plan, const stream_start& start, state_source& entries,
                           supervisor_setup& setup) {
  // By number; nothing for an operator that the plan no longer has.
  std::vector<std::optional<stateful_step>> steps(start.operators.size());
  for (auto& x : stateful_steps(plan)) {
    const auto found = std::find(start.operators.begin(), start.operators.end(), x.identity);
    if (found != start.operators.end())
      steps[static_cast<std::size_t>(found - start.operators.begin())] = std::move(x);
  }
  const auto first = first_subtasks(plan);
  state_chunk::entry entry;
  for (;;) {
    EBB_ASSIGN(const bool more, entries.next(entry));
    if (!more)
      break;
    const auto number = static_cast<std::size_t>(entry.state >> operator_state_bits);
    if (number >= steps.size())
      return make_error(ec::corrupt, "state of an operator that the stream does not have: number "
                                         + std::to_string(number));
    const auto& step = steps[number];
    if (!step)
      continue;
    const auto state = static_cast<std::uint16_t>(entry.state & ((1U << operator_state_bits) - 1));
    const auto instances = plan.stages[step->stage].parallelism;
    const auto load = [&](std::uint32_t i) {
      return setup.subtasks[first[step->stage] + i].task->load(step->step, entry.key_group, state,
                                                               entry.key, entry.value);
    };
    if (entry.key_group == unkeyed_group) {
      for (std::uint32_t i = 0; i < instances; ++i)
        EBB_TRY(load(i));
    } else if (entry.key_group < plan.key_groups) {
      EBB_TRY(load(target_of_group(entry.key_group, instances, plan.key_groups)));
    } else {
      return make_error(ec::corrupt, "state of key group " + std::to_string(entry.key_group)
                                         + ", but there are " + std::to_string(plan.key_groups));
    }
  }
  for (auto& x : setup.subtasks)
    x.task->resume(start.epoch);
  return {};
}

} // namespace ebb
