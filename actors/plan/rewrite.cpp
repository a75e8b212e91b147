#include "actors/plan/rewrite.hpp"

#include "actors/plan/changelog.hpp"

#include <algorithm>

namespace ebb {

namespace {

// True for every node that some sink reads, directly or not.
std::vector<bool> live_nodes(const plan_graph& graph) {
  std::vector<bool> live(graph.nodes.size(), false);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const auto& node = graph.nodes[i];
    if (std::holds_alternative<sink_node>(node.what))
      live[i] = true;
    if (live[i])
      for (const auto input : node.inputs)
        live[input] = true;
  }
  return live;
}

bool same_node(const plan_node& a, const plan_node& b) {
  if (a.what.index() != b.what.index() || a.inputs != b.inputs)
    return false;
  if (const auto* source = std::get_if<source_node>(&a.what))
    return source->source == std::get<source_node>(b.what).source;
  if (const auto* spec = std::get_if<operator_spec>(&a.what))
    return same_spec(*spec, std::get<operator_spec>(b.what));
  return false;
}

std::uint32_t width_of(const plan_node& node) {
  return static_cast<std::uint32_t>(node.columns.size());
}

// Operators that store rows or receive them through an exchange pay for every column.
bool keeps_rows(const operator_spec& spec) {
  return std::holds_alternative<window_join_spec>(spec)
         || std::holds_alternative<interval_join_spec>(spec)
         || std::holds_alternative<stream_join_spec>(spec)
         || std::holds_alternative<window_top_n_spec>(spec)
         || std::holds_alternative<over_spec>(spec)
         || std::holds_alternative<window_assign_spec>(spec)
         || std::holds_alternative<window_aggregate_spec>(spec)
         || std::holds_alternative<union_all_spec>(spec)
         || std::holds_alternative<group_aggregate_spec>(spec)
         || std::holds_alternative<changelog_join_spec>(spec)
         || std::holds_alternative<changelog_top_n_spec>(spec)
         || std::holds_alternative<changelog_over_spec>(spec)
         || std::holds_alternative<upsert_spec>(spec)
         || std::holds_alternative<settle_spec>(spec)
         || std::holds_alternative<expand_rows_spec>(spec)
         || std::holds_alternative<live_rows_spec>(spec);
}

// Columns of each node that its users read.
std::vector<std::vector<bool>> read_columns(const plan_graph& graph) {
  std::vector<std::vector<bool>> read;
  for (const auto& node : graph.nodes)
    read.emplace_back(node.columns.size(), false);
  for (std::size_t i = graph.nodes.size(); i-- > 0;) {
    const auto& node = graph.nodes[i];
    if (std::holds_alternative<sink_node>(node.what)) {
      read[node.inputs[0]].assign(graph.nodes[node.inputs[0]].columns.size(), true);
      continue;
    }
    const auto* spec = std::get_if<operator_spec>(&node.what);
    if (spec == nullptr)
      continue;
    std::vector<std::uint32_t> widths;
    for (const auto input : node.inputs)
      widths.push_back(width_of(graph.nodes[input]));
    const auto inputs = columns_read(*spec, read[i], widths);
    for (std::size_t k = 0; k < node.inputs.size(); ++k)
      for (std::size_t c = 0; c < inputs[k].size(); ++c)
        if (inputs[k][c])
          read[node.inputs[k]][c] = true;
  }
  return read;
}

class pruner {
public:
  explicit pruner(const plan_graph& graph)
      : graph_(graph), read_(read_columns(graph)), node_(graph.nodes.size()),
        mapping_(graph.nodes.size()) {
    result_.warnings = graph.warnings;
  }

  plan_graph run() {
    for (node_id i = 0; i < graph_.nodes.size(); ++i)
      copy(i);
    return std::move(result_);
  }

private:
  struct input {
    node_id node;
    column_mapping mapping;
  };

  void copy(node_id id) {
    const auto& old = graph_.nodes[id];
    plan_node fresh = old;
    auto& mapping = mapping_[id];
    const auto* spec = std::get_if<operator_spec>(&old.what);
    if (spec == nullptr) {
      fresh.inputs.clear();
      for (const auto from : old.inputs)
        fresh.inputs.push_back(in_old_order(from));
      mapping.resize(old.columns.size());
      for (std::uint32_t c = 0; c < mapping.size(); ++c)
        mapping[c] = c;
      node_[id] = add(std::move(fresh));
      return;
    }
    std::vector<std::uint32_t> widths;
    for (const auto from : old.inputs)
      widths.push_back(width_of(graph_.nodes[from]));
    const auto wanted = columns_read(*spec, read_[id], widths);
    std::vector<column_mapping> mappings;
    std::vector<std::uint32_t> new_widths;
    fresh.inputs.clear();
    for (std::size_t k = 0; k < old.inputs.size(); ++k) {
      auto from = keeps_rows(*spec) ? narrowed(old.inputs[k], wanted[k])
                                    : input{node_[old.inputs[k]], mapping_[old.inputs[k]]};
      fresh.inputs.push_back(from.node);
      new_widths.push_back(width_of(result_.nodes[from.node]));
      mappings.push_back(std::move(from.mapping));
    }
    fresh.what = remap_inputs(*spec, mappings, read_[id], new_widths, mapping);
    fresh.columns.assign(count_columns(mapping), {});
    for (std::size_t c = 0; c < mapping.size(); ++c)
      if (mapping[c] != no_column)
        fresh.columns[mapping[c]] = old.columns[c];
    fresh.keys = moved_keys(old.keys, [&](auto column) { return mapping[column]; });
    node_[id] = add(std::move(fresh));
  }

  static std::size_t count_columns(const column_mapping& mapping) {
    return static_cast<std::size_t>(
        std::count_if(mapping.begin(), mapping.end(), [](auto c) { return c != no_column; }));
  }

  node_id add(plan_node node) {
    result_.nodes.push_back(std::move(node));
    return static_cast<node_id>(result_.nodes.size() - 1);
  }

  // A sink takes every column of its input in the order of the query.
  node_id in_old_order(node_id old) {
    const auto& mapping = mapping_[old];
    bool in_order = width_of(result_.nodes[node_[old]]) == mapping.size();
    for (std::uint32_t c = 0; c < mapping.size() && in_order; ++c)
      in_order = mapping[c] == c;
    if (in_order)
      return node_[old];
    return project(old, std::vector<bool>(mapping.size(), true)).node;
  }

  // The input with only the wanted columns, through a projection where it has more.
  input narrowed(node_id old, const std::vector<bool>& wanted) {
    const auto& from = result_.nodes[node_[old]];
    const auto count = static_cast<std::size_t>(std::count(wanted.begin(), wanted.end(), true));
    if (count == from.columns.size())
      return {node_[old], mapping_[old]};
    return project(old, wanted);
  }

  input project(node_id old, const std::vector<bool>& wanted) {
    const auto from = node_[old];
    filter_project_spec spec;
    plan_node node;
    input result;
    result.mapping.assign(wanted.size(), no_column);
    for (std::uint32_t c = 0; c < wanted.size(); ++c) {
      if (!wanted[c])
        continue;
      const auto& column = graph_.nodes[old].columns[c];
      result.mapping[c] = static_cast<std::uint32_t>(spec.outputs.size());
      spec.outputs.push_back(make_column_ref(mapping_[old][c], column.type, column.name));
      node.columns.push_back(column);
    }
    node.name = result_.nodes[from].name;
    node.label = "project";
    node.inputs = {from};
    node.what = operator_spec{std::move(spec)};
    node.updating = graph_.nodes[old].updating;
    node.keys = moved_keys(graph_.nodes[old].keys,
                           [&](auto column) { return result.mapping[column]; });
    result.node = add(std::move(node));
    return result;
  }

  const plan_graph& graph_;
  std::vector<std::vector<bool>> read_;
  std::vector<node_id> node_;
  std::vector<column_mapping> mapping_;
  plan_graph result_;
};

} // namespace

plan_graph share_subplans(const plan_graph& graph) {
  const auto live = live_nodes(graph);
  plan_graph result;
  result.warnings = graph.warnings;
  std::vector<node_id> moved(graph.nodes.size(), 0);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (!live[i])
      continue;
    auto node = graph.nodes[i];
    for (auto& input : node.inputs)
      input = moved[input];
    const auto twin = std::find_if(result.nodes.begin(), result.nodes.end(),
                                   [&](const auto& other) { return same_node(other, node); });
    moved[i] = static_cast<node_id>(twin - result.nodes.begin());
    if (twin == result.nodes.end())
      result.nodes.push_back(std::move(node));
  }
  return result;
}

plan_graph prune_columns(const plan_graph& graph) {
  return pruner{graph}.run();
}

} // namespace ebb
