#include "actors/runtime/state_check.hpp"

#include "actors/dataflow/operator.hpp"
#include "actors/dataflow/snapshot.hpp"
#include "actors/plan/stateful_steps.hpp"
#include "actors/runtime/build_stream.hpp"
#include "storage/merged_state.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace ebb {

namespace {

struct tried_operator {
  std::uint16_t number = 0;
  std::string name;
  std::unique_ptr<stream_operator> body;
};

std::vector<tried_operator> make_operators(const stage_plan& plan,
                                           const std::vector<std::string>& known) {
  std::vector<tried_operator> made;
  for (const auto& x : stateful_steps(plan)) {
    const auto found = std::find(known.begin(), known.end(), x.identity);
    if (found == known.end())
      continue; // has no state yet
    const auto& at = plan.stages[x.stage];
    const auto& step = at.steps[x.step];
    auto context = context_of(plan, at, step);
    // One instance, which owns all key groups.
    context.parallelism = 1;
    made.push_back(
        {static_cast<std::uint16_t>(found - known.begin()), step.name,
         make_operator(std::get<operator_spec>(step.what), std::move(context))});
  }
  std::sort(made.begin(), made.end(),
            [](const auto& x, const auto& y) { return x.number < y.number; });
  return made;
}

class state_trial {
public:
  state_trial(merged_cursor cursor, std::uint16_t key_groups, const std::string& stream)
      : cursor_(std::move(cursor)), key_groups_(key_groups), stream_(stream) {}

  result<void> try_on(const tried_operator& x, std::uint64_t enough) {
    EBB_TRY(load_group(x, unkeyed_group));
    std::uint64_t bytes = 0;
    for (std::uint16_t group = 0; group < key_groups_; ++group) {
      EBB_ASSIGN(const auto some, load_group(x, group));
      bytes += some;
      if (x.body->loads_late() && bytes >= enough)
        break;
    }
    return {};
  }

private:
  /// Gives the operator's entries of the group, and how many bytes they were.
  result<std::uint64_t> load_group(const tried_operator& x, std::uint16_t group) {
    std::uint64_t bytes = 0;
    EBB_TRY(cursor_.seek(group, state_number(x.number, 0), {}));
    for (;;) {
      EBB_ASSIGN(const bool more, cursor_.next());
      if (!more)
        return bytes;
      const auto& entry = cursor_.entry();
      if (entry.key_group != group || operator_of(entry.state) != x.number)
        return bytes;
      bytes += entry.key.size() + entry.value.size();
      auto loaded = x.body->load(group, state_of(entry.state), entry.key, entry.value);
      if (!loaded)
        return not_understood(std::move(loaded).error(), x);
    }
  }

  [[nodiscard]] error not_understood(error problem, const tried_operator& x) const {
    // Its checksum is right: so another version has written it.
    if (problem.code == ec::corrupt)
      problem.code = ec::unsupported;
    if (problem.place.field.empty())
      problem.place.field = "stream " + stream_ + ", operator " + x.name;
    return problem;
  }

  merged_cursor cursor_;
  std::uint16_t key_groups_;
  const std::string& stream_;
};

} // namespace

result<void> check_state(const stage_plan& plan, const std::string& stream,
                         const std::vector<std::string>& operators, const recorded_segments& from,
                         std::uint64_t enough) {
  if (from.segments.empty())
    return {};
  std::vector<std::shared_ptr<segment_reader>> readers;
  for (const auto& x : from.segments) {
    EBB_ASSIGN(auto reader, open_segment(from, x));
    readers.push_back(std::move(reader));
  }
  const merged_state state(std::move(readers));
  EBB_ASSIGN(auto cursor, state.unstarted_scan(0, unkeyed_group));
  state_trial trial(std::move(cursor), from.key_groups, stream);
  // One after the other, so that no two operators' entries are in memory.
  for (auto& x : make_operators(plan, operators)) {
    EBB_TRY(trial.try_on(x, enough));
    x.body.reset();
  }
  return {};
}

error unreadable(error problem, const std::string& stream, const std::string& left_by) {
  if (problem.code != ec::unsupported)
    return problem;
  problem.code = ec::conflict;
  problem.message =
      "the state of stream " + stream + " was left by "
      + (left_by.empty() ? "an earlier version of ebb" : "another build of ebb " + left_by)
      + " and cannot be read by this one: " + problem.message;
  problem.hint =
      "run it with the ebb that has left the state, or begin anew with --from fresh --yes";
  return problem;
}

} // namespace ebb
