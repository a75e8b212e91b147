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

using source_set = std::set<std::uint32_t>;

class grouping {
public:
  explicit grouping(const stage_plan& plan) : plan_(plan), reach_(plan.stages.size()) {}

  std::vector<std::vector<timed_source>> make() {
    for (std::uint32_t s = 0; s < plan_.stages.size(); ++s)
      for (std::uint32_t i = 0; i < plan_.stages[s].steps.size(); ++i)
        visit(s, i);
    // Those that meet by time have a number in common, whatever else they wait for.
    for (std::uint32_t i = 0; i < sources_.size(); ++i)
      sources_[i].role.group =
          waited_for_.count(i) != 0 ? root(i) : static_cast<std::uint32_t>(sources_.size() + i);
    for (const auto& [table, stream] : look_ups_)
      for (const auto* side : {&table, &stream})
        for (const auto source : *side) {
          waited_for_.insert(source);
          join(source, *table.begin());
        }
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
      const auto time = time_step_of(at, i);
      const auto number = static_cast<std::uint32_t>(sources_.size());
      reached.insert(number);
      parents_.push_back(number);
      sources_.push_back({s, i, time.value_or(i)});
      if (time)
        timed_.insert(number);
      return;
    }
    for (const auto& input : x.inputs) {
      const auto& from = reaching(s, input);
      reached.insert(from.begin(), from.end());
    }
    note_look_up(s, x);
    if (!waits_for_watermark(x))
      return;
    std::optional<std::uint32_t> first;
    for (const auto source : reached) {
      if (timed_.count(source) == 0)
        continue;
      waited_for_.insert(source);
      first = first.value_or(source);
      join(source, *first);
    }
  }

  void note_look_up(std::uint32_t s, const stage_step& x) {
    const auto* spec = std::get_if<operator_spec>(&x.what);
    const auto* join = spec == nullptr ? nullptr : std::get_if<changelog_join_spec>(spec);
    if (join == nullptr || join->lookup < 0)
      return;
    const auto table = static_cast<std::size_t>(join->lookup);
    look_ups_.emplace_back(reaching(s, x.inputs[table]), reaching(s, x.inputs[1 - table]));
    for (const auto source : look_ups_.back().first)
      sources_[source].role.is_table = true;
  }

  [[nodiscard]] const source_set& reaching(std::uint32_t s, const step_input& input) const {
    if (!input.from_outside)
      return reach_[s][input.index];
    const auto& from = plan_.stages[s].inputs[input.index];
    return reach_[from.from_stage][from.from_step];
  }

  void join(std::uint32_t a, std::uint32_t b) {
    parents_[root(a)] = root(b);
  }

  std::uint32_t root(std::uint32_t source) {
    while (parents_[source] != source)
      source = parents_[source];
    return source;
  }

  const stage_plan& plan_;
  std::vector<timed_source> sources_;
  source_set timed_;                   ///< those with event time
  std::vector<std::uint32_t> parents_; ///< of a forest whose trees are the groups
  source_set waited_for_;
  std::vector<std::pair<source_set, source_set>> look_ups_; ///< sources of the table, of the stream
  std::vector<std::vector<source_set>> reach_;              ///< [stage][step]
};

} // namespace

std::vector<std::vector<timed_source>> meeting_sources(const stage_plan& plan) {
  return grouping(plan).make();
}

} // namespace ebb
