#include "actors/plan/retention.hpp"

#include "schemas/overloaded.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

// Watermarks come on every way to the node.
bool has_event_time(const plan_graph& graph, node_id id) {
  const auto& node = graph.nodes[id];
  if (const auto* spec = std::get_if<operator_spec>(&node.what);
      spec != nullptr && std::holds_alternative<assign_watermarks_spec>(*spec))
    return true;
  return !node.inputs.empty()
         && std::all_of(node.inputs.begin(), node.inputs.end(),
                        [&](auto input) { return has_event_time(graph, input); });
}

// The retention of a step that has keys to drop; null = it keeps nothing for ever, or one key.
retention_spec* retention_of(operator_spec& spec) {
  return std::visit(
      overloaded{
          [](group_aggregate_spec& x) { return x.keys.empty() ? nullptr : &x.retention; },
          [](changelog_join_spec& x) {
            return x.left_keys.empty() || x.lookup >= 0 ? nullptr : &x.retention;
          },
          [](stream_join_spec& x) { return x.left_keys.empty() ? nullptr : &x.retention; },
          [](changelog_top_n_spec& x) { return x.partition.empty() ? nullptr : &x.retention; },
          [](changelog_over_spec& x) { return x.partition.empty() ? nullptr : &x.retention; },
          [](auto&) -> retention_spec* { return nullptr; },
      },
      spec);
}

} // namespace

void apply_retention(const operator_definition& where, node_id first, plan_graph& graph) {
  const auto growth = std::exchange(graph.growth, {});
  if (!where.state_retention) {
    for (const auto i : growth)
      graph.warnings[i].hint += "; or set stateRetention of operator " + where.name
                                + ", which drops what is not written for so long";
    return;
  }
  for (auto i = growth.rbegin(); i != growth.rend(); ++i)
    graph.warnings.erase(graph.warnings.begin() + static_cast<std::ptrdiff_t>(*i));
  bool any = false;
  for (auto id = first; id < graph.nodes.size(); ++id) {
    auto* spec = std::get_if<operator_spec>(&graph.nodes[id].what);
    auto* retention = spec == nullptr ? nullptr : retention_of(*spec);
    if (retention == nullptr)
      continue;
    retention->span = *where.state_retention;
    retention->processing_time = !has_event_time(graph, id);
    any = true;
  }
  if (any)
    return;
  auto warning = make_error(ec::invalid_argument,
                            "stateRetention of operator " + where.name
                                + " has no effect: none of its state grows by keys",
                            "leave it out; it does not bound state that has no keys");
  warning.place = where.place;
  warning.place.field += ".stateRetention";
  graph.warnings.push_back(std::move(warning));
}

std::string kept_text(const retention_spec& retention) {
  if (retention.span == 0)
    return "kept for ever";
  const auto span = retention.span % micros_per_second == 0
                        ? std::to_string(retention.span / micros_per_second) + " s"
                        : std::to_string(retention.span / 1000) + " ms";
  return "dropped by key when not written for " + span + " of "
         + (retention.processing_time ? "processing time" : "event time");
}

} // namespace ebb
