#include "actors/plan/stateful_steps.hpp"

#include <algorithm>
#include <map>
#include <numeric>

namespace ebb {

namespace {

struct name_of_state {
  const char* operator()(const assign_watermarks_spec&) const {
    return "watermark";
  }

  // Both phases that keep panes keep the same ones.
  const char* operator()(const window_aggregate_spec& x) const {
    if (x.phase == aggregate_phase::partial)
      return nullptr;
    return x.window.kind == window_kind::session ? "session aggregate" : "window aggregate";
  }

  const char* operator()(const window_join_spec&) const {
    return "window join";
  }

  const char* operator()(const interval_join_spec&) const {
    return "interval join";
  }

  const char* operator()(const stream_join_spec&) const {
    return "join";
  }

  const char* operator()(const window_top_n_spec&) const {
    return "top-n";
  }

  const char* operator()(const over_spec&) const {
    return "over";
  }

  const char* operator()(const stamp_time_spec&) const {
    return "processing time";
  }

  // The clock, which does not go back.
  const char* operator()(const window_assign_spec& x) const {
    return x.window.processing_time ? "processing time" : nullptr;
  }

  const char* operator()(const group_aggregate_spec& x) const {
    return x.phase == group_phase::partial ? nullptr : "group aggregate";
  }

  const char* operator()(const changelog_join_spec& x) const {
    return x.lookup >= 0 ? "lookup join" : "changelog join";
  }

  const char* operator()(const changelog_top_n_spec&) const {
    return "changelog top-n";
  }

  const char* operator()(const changelog_over_spec&) const {
    return "changelog over";
  }

  const char* operator()(const upsert_spec&) const {
    return "upsert";
  }

  const char* operator()(const settle_spec&) const {
    return "settle";
  }

  const char* operator()(const live_rows_spec&) const {
    return "live rows";
  }

  // These keep nothing between two items.
  const char* operator()(const weigh_rows_spec&) const {
    return nullptr;
  }

  const char* operator()(const filter_project_spec&) const {
    return nullptr;
  }

  const char* operator()(const expand_rows_spec&) const {
    return nullptr;
  }

  const char* operator()(const union_all_spec&) const {
    return nullptr;
  }
};

} // namespace

std::vector<stateful_step> stateful_steps(const stage_plan& plan) {
  std::vector<stateful_step> result;
  std::vector<std::uint32_t> nodes;
  for (std::uint32_t s = 0; s < plan.stages.size(); ++s)
    for (std::uint32_t i = 0; i < plan.stages[s].steps.size(); ++i) {
      const auto& x = plan.stages[s].steps[i];
      const auto* spec = std::get_if<operator_spec>(&x.what);
      const char* state = spec == nullptr ? nullptr : std::visit(name_of_state{}, *spec);
      if (state == nullptr)
        continue;
      result.push_back({s, i, x.name + '/' + state + '/'});
      nodes.push_back(x.node);
    }
  // The order of stages depends on the parallelism, that of the nodes does not.
  std::vector<std::size_t> order(result.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [&](std::size_t at) { return nodes[at]; });
  std::map<std::string, std::uint32_t> seen;
  for (const auto at : order) {
    auto& identity = result[at].identity;
    identity += std::to_string(seen[identity]++);
  }
  return result;
}

} // namespace ebb
