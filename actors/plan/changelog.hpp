/// What becomes of an operator's rows: whether they may be deleted later, and what tells them
/// apart. Pure.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <vector>

namespace ebb {

struct changelog {
  bool updating = false;
  std::vector<row_key> keys = {}; ///< as plan_node::keys
};

/// Of the rows that `spec` makes of these inputs. `width`: columns of the output.
[[nodiscard]] changelog changes_of(const operator_spec& spec,
                                   const std::vector<const plan_node*>& inputs,
                                   std::uint32_t width);

/// The source's records are changes of a table, not rows.
[[nodiscard]] bool reads_changes(const source_definition& source);

/// True where every column of `part` is in `whole`.
[[nodiscard]] bool contains(const std::vector<std::uint32_t>& whole,
                            const std::vector<std::uint32_t>& part);

/// The first key whose changes come in order; none where there is no such key.
[[nodiscard]] unique_key ordered_key(const std::vector<row_key>& keys);

/// The key that a reader of the rows can go by: one that no other is a part of, rather one in order.
/// Null = there is none.
[[nodiscard]] const row_key* key_of_reader(const std::vector<row_key>& keys);

/// Keys with other columns: `moved(column)` is UINT32_MAX where it is not there any more.
template <class Moved>
[[nodiscard]] std::vector<row_key> moved_keys(std::vector<row_key> keys, const Moved& moved) {
  std::erase_if(keys, [&](row_key& x) {
    for (auto& column : x.columns)
      column = moved(column);
    return contains(x.columns, {UINT32_MAX});
  });
  return keys;
}

/// The nearest node at or below `id` that makes append-only rows updating; `id` itself if its rows
/// are append-only.
[[nodiscard]] node_id updating_origin(const plan_graph& graph, node_id id);

} // namespace ebb
