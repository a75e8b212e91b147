/// Which rows must meet in one subtask: what each operator asks of its inputs.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <vector>

namespace ebb {

enum class placement : std::uint8_t {
  any,    ///< rows may be anywhere
  hashed, ///< rows with equal keys meet
  single, ///< all rows meet in one subtask
};

struct distribution {
  placement where = placement::any;
  std::vector<std::uint32_t> keys; ///< hashed: columns of the input

  bool operator==(const distribution&) const = default;
};

/// What the operator asks of each input.
[[nodiscard]] std::vector<distribution> required(const operator_spec& spec, std::size_t inputs);

/// How the output rows lie when input 0 lies as `input` (in columns of the output).
[[nodiscard]] distribution delivered(const operator_spec& spec, const distribution& input);

/// The aggregate runs in two phases around an exchange: no order, no DISTINCT, and panes; or windows
/// that rows carry, without keys: all rows of a window would go to one subtask. With keys they have
/// been grouped once, and few are left to put together.
[[nodiscard]] bool splits_in_phases(const window_aggregate_spec& spec);
/// The same without windows: rows that stay, calls without DISTINCT and order.
[[nodiscard]] bool splits_in_phases(const group_aggregate_spec& spec);

/// At most one row a window comes out of this node (an aggregate by window alone, maybe projected).
[[nodiscard]] bool one_row_per_window(const plan_graph& graph, node_id id);

} // namespace ebb
