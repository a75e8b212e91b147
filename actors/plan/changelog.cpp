// Two things are derived of a key: that at most one row has it once all changes have come, and
// whether its changes come in order, as they all pass through one instance of the operator. Else a
// row's successor may overtake its deletion on another channel.

#include "actors/plan/changelog.hpp"

#include "actors/dataflow/function.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace ebb {

namespace {

using columns_t = std::vector<std::uint32_t>;
using keys_t = std::vector<row_key>;

constexpr std::size_t keys_max = 12;

columns_t first_columns(std::size_t count) {
  columns_t result(count);
  std::iota(result.begin(), result.end(), 0U);
  return result;
}

bool same_columns(const columns_t& a, const columns_t& b) {
  return contains(a, b) && contains(b, a);
}

// Keys that say nothing new are left out: one in order makes all that it is a part of superfluous.
void add_key(keys_t& keys, row_key key) {
  columns_t columns;
  for (const auto column : key.columns)
    if (!contains(columns, {column}))
      columns.push_back(column);
  key.columns = std::move(columns);
  for (const auto& known : keys)
    if ((known.in_order || !key.in_order) && contains(key.columns, known.columns))
      return;
  std::erase_if(keys, [&](const row_key& known) {
    return !known.in_order && same_columns(known.columns, key.columns);
  });
  if (keys.size() < keys_max)
    keys.push_back(std::move(key));
}

keys_t one_key(columns_t columns) {
  return {row_key{std::move(columns), true}};
}

// All changes of a value of `key` go to one instance when rows go by `by`.
bool stays(const row_key& key, const plan_node& input, const columns_t& by) {
  return key.in_order && (!input.updating || contains(key.columns, by));
}

// The rows' keys after they went to instances by `by`.
keys_t kept_keys(const plan_node& input, const columns_t& by) {
  auto keys = input.keys;
  for (auto& key : keys)
    key.in_order = stays(key, input, by);
  return keys;
}

// Whether at most one row meets a row of the other side, which has the values of `by`.
struct partner {
  bool one = false;
  bool in_order = false; ///< a partner's deletion comes before the next one
};

partner partner_of(const plan_node& side, const columns_t& by) {
  partner result;
  for (const auto& key : side.keys)
    if (contains(by, key.columns)) {
      result.one = true;
      result.in_order = result.in_order || key.in_order;
    }
  return result;
}

// Columns that an inner join finds equal name each other's values.
void add_equal_names(keys_t& keys, const columns_t& left, const columns_t& right) {
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t k = 0; k < left.size(); ++k)
      for (const auto& [from, to] : {std::pair{right[k], left[k]}, std::pair{left[k], right[k]}}) {
        auto key = keys[i];
        std::replace(key.columns.begin(), key.columns.end(), from, to);
        add_key(keys, std::move(key));
      }
}

// Where one side has one row for a key of the join, the other side's key tells the pair; else both
// keys do, NULL being a value of its own.
template <class Join>
keys_t joined_keys(const Join& spec, const plan_node& left, const plan_node& right, bool pads_left,
                   bool pads_right) {
  const auto left_width = static_cast<std::uint32_t>(left.columns.size());
  auto right_keys = right.keys;
  for (auto& key : right_keys)
    for (auto& column : key.columns)
      column += left_width;
  keys_t keys;
  if (const auto met = partner_of(right, spec.right_keys); met.one && !pads_left)
    for (const auto& key : left.keys)
      add_key(keys, {key.columns, met.in_order && stays(key, left, spec.left_keys)});
  if (const auto met = partner_of(left, spec.left_keys); met.one && !pads_right)
    for (std::size_t i = 0; i < right.keys.size(); ++i)
      add_key(keys, {right_keys[i].columns,
                     met.in_order && stays(right.keys[i], right, spec.right_keys)});
  for (const auto& key : left.keys)
    for (std::size_t i = 0; i < right.keys.size(); ++i) {
      auto both = key.columns;
      both.insert(both.end(), right_keys[i].columns.begin(), right_keys[i].columns.end());
      // A padded row has only one side's key.
      const bool left_stays = stays(key, left, spec.left_keys);
      const bool right_stays = stays(right.keys[i], right, spec.right_keys);
      const bool together =
          pads_left || pads_right ? left_stays && right_stays : left_stays || right_stays;
      add_key(keys, {std::move(both), key.in_order && right.keys[i].in_order && together});
    }
  if (!pads_left && !pads_right) {
    auto moved = spec.right_keys;
    for (auto& column : moved)
      column += left_width;
    add_equal_names(keys, spec.left_keys, moved);
  }
  return keys;
}

bool is_whole_number(type_kind kind) noexcept {
  return kind == type_kind::smallint || kind == type_kind::integer || kind == type_kind::bigint;
}

// The column whose value the output has, if only in a wider type.
std::uint32_t named_column(const expr& output) {
  if (output.kind == expr_kind::column)
    return output.index;
  if (output.kind != expr_kind::call || output.args.size() != 1
      || output.function->cast == cast_context::none)
    return UINT32_MAX;
  const auto& from = *output.args[0];
  const bool wider = is_whole_number(from.type.kind) && is_whole_number(output.type.kind)
                     && from.type.kind <= output.type.kind;
  return wider ? named_column(from) : UINT32_MAX;
}

struct changes {
  const std::vector<const plan_node*>& inputs;
  std::uint32_t width;

  [[nodiscard]] const plan_node& first() const {
    return *inputs[0];
  }

  // The input's rows with columns before or after them.
  [[nodiscard]] changelog same() const {
    return {first().updating, first().keys};
  }

  // A column may come out under several names.
  changelog operator()(const filter_project_spec& x) const {
    changelog made{first().updating, {}};
    for (const auto& key : first().keys) {
      std::vector<columns_t> ways(1);
      for (const auto column : key.columns) {
        std::vector<columns_t> longer;
        for (const auto& way : ways)
          for (std::uint32_t i = 0; i < x.outputs.size() && longer.size() < keys_max; ++i)
            if (named_column(*x.outputs[i]) == column) {
              longer.push_back(way);
              longer.back().push_back(i);
            }
        ways = std::move(longer);
      }
      for (auto& way : ways)
        add_key(made.keys, {std::move(way), key.in_order});
    }
    return made;
  }

  changelog operator()(const assign_watermarks_spec&) const {
    return same();
  }

  changelog operator()(const window_assign_spec&) const {
    auto made = same();
    for (auto& key : made.keys)
      key.columns.push_back(width - 2);
    return made;
  }

  changelog operator()(const window_aggregate_spec& x) const {
    return {false, one_key(first_columns(x.keys.size() + 2))};
  }

  template <class Join>
  [[nodiscard]] changelog appended(const Join& x, join_type type) const {
    return {false, joined_keys(x, *inputs[0], *inputs[1],
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
    return {x.updating || !x.calls.empty(), one_key(first_columns(x.keys.size()))};
  }

  // Of a lookup join: the table does not change once its rows are looked up.
  [[nodiscard]] changelog looked_up(const changelog_join_spec& x) const {
    const auto table = static_cast<std::size_t>(x.lookup);
    const bool pads = x.kind != changelog_join_kind::inner;
    auto settled = *inputs[table];
    settled.updating = false;
    return {inputs[1 - table]->updating,
            joined_keys(x, table == 0 ? settled : *inputs[0], table == 1 ? settled : *inputs[1],
                        pads && table == 0, pads && table == 1)};
  }

  changelog operator()(const changelog_join_spec& x) const {
    if (x.lookup >= 0)
      return looked_up(x);
    const auto& left = *inputs[0];
    const bool sides = left.updating || inputs[1]->updating;
    switch (x.kind) {
    case changelog_join_kind::semi:
      return {sides, kept_keys(left, x.left_keys)};
    case changelog_join_kind::anti:
      return {true, kept_keys(left, x.left_keys)};
    case changelog_join_kind::inner:
      return {sides, joined_keys(x, left, *inputs[1], false, false)};
    case changelog_join_kind::left:
      return {true, joined_keys(x, left, *inputs[1], false, true)};
    case changelog_join_kind::right:
      return {true, joined_keys(x, left, *inputs[1], true, false)};
    case changelog_join_kind::full:
      break;
    }
    return {true, joined_keys(x, left, *inputs[1], true, true)};
  }

  changelog operator()(const changelog_top_n_spec& x) const {
    keys_t keys;
    if (x.rank == rank_kind::row_number) {
      if (x.limit - x.offset == 1)
        add_key(keys, {x.partition, true});
      if (x.with_rank) {
        auto columns = x.partition;
        columns.push_back(width - 1);
        add_key(keys, {std::move(columns), true});
      }
    }
    for (auto& key : kept_keys(first(), x.partition))
      add_key(keys, std::move(key));
    return {true, std::move(keys)};
  }

  changelog operator()(const changelog_over_spec& x) const {
    return {true, kept_keys(first(), x.partition)};
  }

  changelog operator()(const weigh_rows_spec&) const {
    return {first().updating, {}};
  }

  changelog operator()(const upsert_spec& x) const {
    return {true, one_key(x.keys)};
  }

  changelog operator()(const settle_spec& x) const {
    return {true, one_key(x.keys)};
  }

  // A row's elements have numbers.
  changelog operator()(const expand_rows_spec& x) const {
    if (!x.ordinality)
      return {first().updating, {}};
    auto made = same();
    for (auto& key : made.keys)
      key.columns.push_back(width - 1);
    return made;
  }

  changelog operator()(const live_rows_spec& x) const {
    return {first().updating || !x.until.empty(), kept_keys(first(), x.keys)};
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

unique_key ordered_key(const std::vector<row_key>& keys) {
  const auto found = std::find_if(keys.begin(), keys.end(), [](const auto& x) { return x.in_order; });
  return found == keys.end() ? unique_key{} : found->columns;
}

const row_key* key_of_reader(const std::vector<row_key>& keys) {
  const row_key* best = nullptr;
  for (const auto& key : keys) {
    const bool least = std::none_of(keys.begin(), keys.end(), [&](const auto& other) {
      return other.columns.size() < key.columns.size() && contains(key.columns, other.columns);
    });
    if (least && (best == nullptr || (key.in_order && !best->in_order)))
      best = &key;
  }
  return best;
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
