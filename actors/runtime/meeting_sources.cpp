#include "actors/runtime/meeting_sources.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

namespace ebb {

namespace {

/// Keeps rows, or what it makes of them, until the watermark says that no more belong to them.
bool waits_for_watermark(const stage_step& x) {
  const auto* spec = std::get_if<operator_spec>(&x.what);
  if (spec == nullptr)
    return false;
  if (const auto* window = std::get_if<window_aggregate_spec>(spec))
    return !window->window.processing_time;
  return std::holds_alternative<window_join_spec>(*spec)
         || std::holds_alternative<interval_join_spec>(*spec)
         || std::holds_alternative<window_top_n_spec>(*spec)
         || std::holds_alternative<over_spec>(*spec);
}

std::optional<std::uint32_t> time_step_of(const stage& at, std::uint32_t source) {
  for (std::uint32_t i = source + 1; i < at.steps.size(); ++i) {
    const auto& x = at.steps[i];
    const auto* spec = std::get_if<operator_spec>(&x.what);
    if (spec != nullptr && std::holds_alternative<assign_watermarks_spec>(*spec)
        && !x.inputs.front().from_outside && x.inputs.front().index == source)
      return i;
  }
  return std::nullopt;
}

class grouping {
public:
  explicit grouping(const stage_plan& plan) : plan_(plan), reach_(plan.stages.size()) {}

  std::vector<std::vector<timed_source>> make() {
    for (std::uint32_t s = 0; s < plan_.stages.size(); ++s)
      for (std::uint32_t i = 0; i < plan_.stages[s].steps.size(); ++i)
        visit(s, i);
    std::vector<std::vector<timed_source>> result(sources_.size());
    for (std::uint32_t i = 0; i < sources_.size(); ++i)
      if (waited_for_.count(i) != 0)
        result[root(i)].push_back(sources_[i]);
    const auto alone = [&](const auto& group) {
      std::uint32_t subtasks = 0;
      for (const auto& x : group)
        subtasks += plan_.stages[x.stage].parallelism;
      return subtasks < 2;
    };
    result.erase(std::remove_if(result.begin(), result.end(), alone), result.end());
    return result;
  }

private:
  /// Notes which sources reach a step; inputs have been visited before.
  void visit(std::uint32_t s, std::uint32_t i) {
    const auto& at = plan_.stages[s];
    const auto& x = at.steps[i];
    auto& reached = reach_[s].emplace_back();
    if (std::holds_alternative<source_node>(x.what)) {
      if (const auto time = time_step_of(at, i)) {
        reached.insert(static_cast<std::uint32_t>(sources_.size()));
        parents_.push_back(static_cast<std::uint32_t>(sources_.size()));
        sources_.push_back({s, i, *time});
      }
      return;
    }
    for (const auto& input : x.inputs) {
      const auto& from =
          input.from_outside
              ? reach_[at.inputs[input.index].from_stage][at.inputs[input.index].from_step]
              : reach_[s][input.index];
      reached.insert(from.begin(), from.end());
    }
    if (reached.empty() || !waits_for_watermark(x))
      return;
    for (const auto source : reached) {
      waited_for_.insert(source);
      parents_[root(source)] = root(*reached.begin());
    }
  }

  std::uint32_t root(std::uint32_t source) {
    while (parents_[source] != source)
      source = parents_[source];
    return source;
  }

  const stage_plan& plan_;
  std::vector<timed_source> sources_;
  std::vector<std::uint32_t> parents_; ///< of a forest whose trees are the groups
  std::set<std::uint32_t> waited_for_;
  std::vector<std::vector<std::set<std::uint32_t>>> reach_; ///< [stage][step]: sources
};

} // namespace

std::vector<std::vector<timed_source>> meeting_sources(const stage_plan& plan) {
  return grouping(plan).make();
}

} // namespace ebb
