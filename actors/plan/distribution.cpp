#include "actors/plan/distribution.hpp"

#include <algorithm>

namespace ebb {

namespace {

distribution by(std::vector<std::uint32_t> keys) {
  return {keys.empty() ? placement::single : placement::hashed, std::move(keys)};
}

std::vector<std::uint32_t> window_columns(const window_spec& window) {
  std::vector<std::uint32_t> columns;
  for (const auto column : {window.start_column, window.end_column})
    if (column >= 0)
      columns.push_back(static_cast<std::uint32_t>(column));
  return columns;
}

distribution required_of(const window_aggregate_spec& spec) {
  if (spec.phase == aggregate_phase::partial)
    return {};
  if (spec.keys.empty() && spec.window.kind == window_kind::attached)
    return by(window_columns(spec.window));
  return by(spec.keys);
}

// Rows that lack the left side's columns lie by the right side's keys.
bool pads_left(const operator_spec& spec) {
  const auto pads = [](join_type type) {
    return type == join_type::right || type == join_type::full;
  };
  if (const auto* x = std::get_if<window_join_spec>(&spec))
    return pads(x->type);
  if (const auto* x = std::get_if<interval_join_spec>(&spec))
    return pads(x->type);
  const auto* x = std::get_if<changelog_join_spec>(&spec);
  return x != nullptr
         && (x->kind == changelog_join_kind::right || x->kind == changelog_join_kind::full);
}

distribution required_of(const window_top_n_spec& spec) {
  return spec.partition.empty() ? by({spec.window_end}) : by(spec.partition);
}

} // namespace

std::vector<distribution> required(const operator_spec& spec, std::size_t inputs) {
  if (const auto* x = std::get_if<window_aggregate_spec>(&spec))
    return {required_of(*x)};
  if (const auto* x = std::get_if<window_top_n_spec>(&spec))
    return {required_of(*x)};
  if (const auto* x = std::get_if<over_spec>(&spec))
    return {by(x->partition)};
  if (const auto* x = std::get_if<window_join_spec>(&spec)) {
    if (x->left_keys.empty())
      return {by({x->left_end}), by({x->right_end})};
    return {by(x->left_keys), by(x->right_keys)};
  }
  if (const auto* x = std::get_if<interval_join_spec>(&spec))
    return {by(x->left_keys), by(x->right_keys)};
  if (const auto* x = std::get_if<stream_join_spec>(&spec))
    return {by(x->left_keys), by(x->right_keys)};
  if (const auto* x = std::get_if<group_aggregate_spec>(&spec))
    return {x->phase == group_phase::partial ? distribution{} : by(x->keys)};
  if (const auto* x = std::get_if<changelog_join_spec>(&spec))
    return {by(x->left_keys), by(x->right_keys)};
  if (const auto* x = std::get_if<changelog_top_n_spec>(&spec))
    return {by(x->partition)};
  if (const auto* x = std::get_if<changelog_over_spec>(&spec))
    return {by(x->partition)};
  if (const auto* x = std::get_if<upsert_spec>(&spec))
    return {by(x->keys)};
  if (const auto* x = std::get_if<settle_spec>(&spec))
    return {by(x->keys)};
  if (const auto* x = std::get_if<live_rows_spec>(&spec))
    return {by(x->keys)};
  return std::vector<distribution>(inputs);
}

distribution delivered(const operator_spec& spec, const distribution& input) {
  if (input.where != placement::hashed)
    return input;
  const auto moved = [&](const auto& place) {
    distribution result{placement::hashed, {}};
    for (const auto key : input.keys) {
      const auto at = place(key);
      if (at == UINT32_MAX)
        return distribution{};
      result.keys.push_back(at);
    }
    return result;
  };
  if (const auto* x = std::get_if<filter_project_spec>(&spec))
    return moved([&](std::uint32_t key) {
      for (std::uint32_t i = 0; i < x->outputs.size(); ++i)
        if (x->outputs[i]->kind == expr_kind::column && x->outputs[i]->index == key)
          return i;
      return UINT32_MAX;
    });
  if (const auto* x = std::get_if<window_aggregate_spec>(&spec)) {
    const auto count = static_cast<std::uint32_t>(x->keys.size());
    return moved([&](std::uint32_t key) {
      for (std::uint32_t i = 0; i < count; ++i)
        if (x->keys[i] == key)
          return i;
      if (static_cast<std::int32_t>(key) == x->window.start_column)
        return count;
      if (static_cast<std::int32_t>(key) == x->window.end_column)
        return count + 1;
      return UINT32_MAX;
    });
  }
  if (const auto* x = std::get_if<group_aggregate_spec>(&spec))
    return moved([&](std::uint32_t key) {
      const auto found = std::find(x->keys.begin(), x->keys.end(), key);
      return found == x->keys.end() ? UINT32_MAX
                                    : static_cast<std::uint32_t>(found - x->keys.begin());
    });
  if (const auto* x = std::get_if<weigh_rows_spec>(&spec))
    return moved([&](std::uint32_t key) {
      return key == x->count_column ? UINT32_MAX : key < x->count_column ? key : key - 1;
    });
  if (std::holds_alternative<union_all_spec>(spec) || pads_left(spec))
    return {};
  // The others pass input 0's columns on in their places.
  return input;
}

bool splits_in_phases(const window_aggregate_spec& spec) {
  const bool panes = spec.window.kind == window_kind::tumble || spec.window.kind == window_kind::hop
                     || spec.window.kind == window_kind::cumulate;
  const bool by_window_alone = spec.window.kind == window_kind::attached && spec.keys.empty();
  return (panes || by_window_alone) && !spec.window.processing_time
         && spec.phase == aggregate_phase::complete
         && std::all_of(spec.calls.begin(), spec.calls.end(), [](const auto& call) {
              return call.function->order_free && !call.distinct && call.order_by.empty();
            });
}

bool splits_in_phases(const group_aggregate_spec& spec) {
  return !spec.updating && spec.retention.span == 0 && !spec.calls.empty()
         && spec.phase == group_phase::complete
         && std::all_of(spec.calls.begin(), spec.calls.end(), [](const auto& call) {
              return call.function->order_free && !call.distinct && call.order_by.empty();
            });
}

bool one_row_per_window(const plan_graph& graph, node_id id) {
  const auto* spec = std::get_if<operator_spec>(&graph.nodes[id].what);
  if (spec == nullptr)
    return false;
  if (const auto* x = std::get_if<window_aggregate_spec>(spec))
    return x->keys.empty();
  return std::holds_alternative<filter_project_spec>(*spec)
         && one_row_per_window(graph, graph.nodes[id].inputs[0]);
}

} // namespace ebb
