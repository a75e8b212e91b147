/// What becomes of an operator's rows: whether they may be deleted later, and what tells them
/// apart. Pure.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <vector>

namespace ebb {

struct changelog {
  bool updating = false;
  unique_key key = {}; ///< as plan_node::key
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

/// The nearest node at or below `id` that makes append-only rows updating; `id` itself if its rows
/// are append-only.
[[nodiscard]] node_id updating_origin(const plan_graph& graph, node_id id);

} // namespace ebb
