#include "actors/plan/settle.hpp"

#include "actors/plan/changelog.hpp"
#include "schemas/overloaded.hpp"

#include <algorithm>

namespace ebb {

namespace {

bool has_key_out_of_order(const plan_node& node) {
  return std::any_of(node.keys.begin(), node.keys.end(), [](const auto& x) { return !x.in_order; });
}

// The lowest node on the way to `id` whose inputs have their keys in order: there rows go to
// subtasks by other columns.
node_id scattered_at(const plan_graph& graph, node_id id) {
  for (;;) {
    const auto& inputs = graph.nodes[id].inputs;
    const auto below = std::find_if(inputs.begin(), inputs.end(), [&](auto input) {
      return has_key_out_of_order(graph.nodes[input]);
    });
    if (below == inputs.end())
      return id;
    id = *below;
  }
}

std::string names_of(const std::vector<plan_column>& columns,
                     const std::vector<std::uint32_t>& numbers) {
  std::string result;
  for (const auto x : numbers)
    result += (result.empty() ? "" : ", ") + columns[x].name;
  return result;
}

// By what rows go to the node's subtasks, and how long it keeps what it holds.
struct scattering {
  std::vector<std::uint32_t> by;
  retention_spec retention;
};

scattering scattering_of(const operator_spec& spec) {
  return std::visit(
      overloaded{
          [](const changelog_join_spec& x) -> scattering { return {x.left_keys, x.retention}; },
          [](const changelog_top_n_spec& x) -> scattering { return {x.partition, x.retention}; },
          [](const changelog_over_spec& x) -> scattering { return {x.partition, x.retention}; },
          [](const live_rows_spec& x) -> scattering { return {x.keys, {}}; },
          [](const auto&) -> scattering { return {}; },
      },
      spec);
}

} // namespace

node_id settle(plan_graph& graph, node_id id) {
  const auto* key = key_of_reader(graph.nodes[id].keys);
  if (key == nullptr || key->in_order)
    return id;
  const auto& at = graph.nodes[scattered_at(graph, id)];
  const auto from = scattering_of(std::get<operator_spec>(at.what));
  const auto by = names_of(graph.nodes[at.inputs.front()].columns, from.by);
  const auto name = names_of(graph.nodes[id].columns, key->columns);
  settle_spec spec;
  spec.keys = key->columns;
  spec.retention = from.retention;
  plan_node node = graph.nodes[id];
  node.label = "settle";
  node.inputs = {id};
  node.keys = {{key->columns}};
  node.why = "changes of " + (name.empty() ? "the one row" : "one (" + name + ')')
             + " come from several subtasks and are put in order, since " + at.label + ' ' + at.name
             + " has rows meet by (" + by + ')';
  node.what = operator_spec{std::move(spec)};
  return graph.add(std::move(node));
}

} // namespace ebb
