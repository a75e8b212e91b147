// A key is claimed only where all changes of one key value pass through one instance of the
// operator, in order: else a row's successor might overtake its deletion on another channel.

#include "actors/plan/changelog.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

using columns_t = std::vector<std::uint32_t>;

columns_t first_columns(std::size_t count) {
  columns_t result(count);
  std::iota(result.begin(), result.end(), 0U);
  return result;
}

// Rows that are equal in `input.key` are always on the same instance when rows go by `by`.
bool stays(const plan_node& input, const columns_t& by) {
  return input.key && (!input.updating || contains(*input.key, by));
}

template <class Join>
unique_key joined_key(const Join& spec, const plan_node& left, const plan_node& right,
                      bool pads_left, bool pads_right) {
  if (!left.key || !right.key)
    return {};
  // Where one side has one row for a key of the join, the other side's key tells the pair.
  const bool one_right = contains(spec.right_keys, *right.key);
  const bool one_left = contains(spec.left_keys, *left.key);
  if (one_right && !pads_left && stays(left, spec.left_keys))
    return left.key;
  const auto left_width = static_cast<std::uint32_t>(left.columns.size());
  auto moved = *right.key;
  for (auto& column : moved)
    column += left_width;
  if (one_left && !pads_right && stays(right, spec.right_keys))
    return moved;
  // A padded row has only one side's key.
  const bool left_stays = stays(left, spec.left_keys);
  const bool right_stays = stays(right, spec.right_keys);
  if (pads_left || pads_right ? !left_stays || !right_stays : !left_stays && !right_stays)
    return {};
  auto both = *left.key;
  both.insert(both.end(), moved.begin(), moved.end());
  return both;
}

struct changes {
  const std::vector<const plan_node*>& inputs;
  std::uint32_t width;

  [[nodiscard]] const plan_node& first() const {
    return *inputs[0];
  }

  // The input's rows with columns before or after them.
  [[nodiscard]] changelog same() const {
    return {first().updating, first().key};
  }

  changelog operator()(const filter_project_spec& x) const {
    changelog made{first().updating, {}};
    if (!first().key)
      return made;
    columns_t key;
    for (const auto column : *first().key) {
      const auto at = std::find_if(x.outputs.begin(), x.outputs.end(), [&](const auto& output) {
        return output->kind == expr_kind::column && output->index == column;
      });
      if (at == x.outputs.end())
        return made;
      key.push_back(static_cast<std::uint32_t>(at - x.outputs.begin()));
    }
    made.key = std::move(key);
    return made;
  }

  changelog operator()(const assign_watermarks_spec&) const {
    return same();
  }

  changelog operator()(const window_assign_spec&) const {
    auto made = same();
    if (made.key)
      made.key->push_back(width - 2);
    return made;
  }

  changelog operator()(const window_aggregate_spec& x) const {
    return {false, first_columns(x.keys.size() + 2)};
  }

  template <class Join>
  [[nodiscard]] changelog appended(const Join& x, join_type type) const {
    return {false, joined_key(x, *inputs[0], *inputs[1],
                              type == join_type::right || type == join_type::full,
                              type == join_type::left || type == join_type::full)};
  }

  changelog operator()(const window_join_spec& x) const {
    return appended(x, x.type);
  }

  changelog operator()(const interval_join_spec& x) const {
    return appended(x, x.type);
  }

  changelog operator()(const stream_join_spec& x) const {
    return appended(x, join_type::inner);
  }

  changelog operator()(const window_top_n_spec&) const {
    return same();
  }

  changelog operator()(const over_spec&) const {
    return same();
  }

  changelog operator()(const union_all_spec&) const {
    return {std::any_of(inputs.begin(), inputs.end(), [](const auto* x) { return x->updating; }),
            {}};
  }

  changelog operator()(const stamp_time_spec&) const {
    return same();
  }

  // A distinct row comes once and stays while no row goes.
  changelog operator()(const group_aggregate_spec& x) const {
    if (x.phase == group_phase::partial)
      return {};
    return {x.updating || !x.calls.empty(), first_columns(x.keys.size())};
  }

  // Of a lookup join: the table does not change once its rows are looked up.
  [[nodiscard]] changelog looked_up(const changelog_join_spec& x) const {
    const auto table = static_cast<std::size_t>(x.lookup);
    const bool pads = x.kind != changelog_join_kind::inner;
    auto settled = *inputs[table];
    settled.updating = false;
    return {inputs[1 - table]->updating,
            joined_key(x, table == 0 ? settled : *inputs[0], table == 1 ? settled : *inputs[1],
                       pads && table == 0, pads && table == 1)};
  }

  changelog operator()(const changelog_join_spec& x) const {
    if (x.lookup >= 0)
      return looked_up(x);
    const auto& left = *inputs[0];
    const bool sides = left.updating || inputs[1]->updating;
    switch (x.kind) {
    case changelog_join_kind::semi:
      return {sides, stays(left, x.left_keys) ? left.key : unique_key{}};
    case changelog_join_kind::anti:
      return {true, stays(left, x.left_keys) ? left.key : unique_key{}};
    case changelog_join_kind::inner:
      return {sides, joined_key(x, left, *inputs[1], false, false)};
    case changelog_join_kind::left:
      return {true, joined_key(x, left, *inputs[1], false, true)};
    case changelog_join_kind::right:
      return {true, joined_key(x, left, *inputs[1], true, false)};
    case changelog_join_kind::full:
      break;
    }
    return {true, joined_key(x, left, *inputs[1], true, true)};
  }

  changelog operator()(const changelog_top_n_spec& x) const {
    if (x.rank == rank_kind::row_number) {
      if (x.limit - x.offset == 1)
        return {true, x.partition};
      if (x.with_rank) {
        auto key = x.partition;
        key.push_back(width - 1);
        return {true, key};
      }
    }
    return {true, stays(first(), x.partition) ? first().key : unique_key{}};
  }

  changelog operator()(const changelog_over_spec& x) const {
    return {true, stays(first(), x.partition) ? first().key : unique_key{}};
  }

  changelog operator()(const weigh_rows_spec&) const {
    return {first().updating, {}};
  }

  changelog operator()(const upsert_spec& x) const {
    return {true, x.keys};
  }

  // A row's elements have numbers.
  changelog operator()(const expand_rows_spec& x) const {
    auto made = same();
    if (!made.key)
      return made;
    if (x.ordinality)
      made.key->push_back(width - 1);
    else
      made.key.reset();
    return made;
  }

  changelog operator()(const live_rows_spec& x) const {
    return {first().updating || !x.until.empty(),
            stays(first(), x.keys) ? first().key : unique_key{}};
  }
};

} // namespace

bool reads_changes(const source_definition& source) {
  if (const auto* file = std::get_if<file_source>(&source.connector))
    return file->format == record_format::debezium;
  const auto* topic = std::get_if<topic_source>(&source.connector);
  return topic != nullptr && topic->format == record_format::debezium;
}

bool contains(const std::vector<std::uint32_t>& whole, const std::vector<std::uint32_t>& part) {
  return std::all_of(part.begin(), part.end(), [&](auto column) {
    return std::find(whole.begin(), whole.end(), column) != whole.end();
  });
}

changelog changes_of(const operator_spec& spec, const std::vector<const plan_node*>& inputs,
                     std::uint32_t width) {
  return std::visit(changes{inputs, width}, spec);
}

node_id updating_origin(const plan_graph& graph, node_id id) {
  while (graph.nodes[id].updating) {
    const auto& inputs = graph.nodes[id].inputs;
    const auto below = std::find_if(inputs.begin(), inputs.end(),
                                    [&](auto input) { return graph.nodes[input].updating; });
    if (below == inputs.end())
      break;
    id = *below;
  }
  return id;
}

} // namespace ebb
