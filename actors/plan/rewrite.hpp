/// Rewrites of the logical plan that keep its results: dead nodes and unread columns go, equal
/// subplans become one. Pure.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <vector>

namespace ebb {

/// Which columns of each input of an operator are read, given which of its outputs are read.
/// `widths`: columns of each input.
[[nodiscard]] std::vector<std::vector<bool>> columns_read(const operator_spec& spec,
                                                          const std::vector<bool>& outputs_read,
                                                          const std::vector<std::uint32_t>& widths);

/// New index of each old column, or `no_column` where it is gone.
using column_mapping = std::vector<std::uint32_t>;
inline constexpr std::uint32_t no_column = UINT32_MAX;

/// The same operator over inputs whose columns have moved; also drops outputs that nobody reads.
/// `output` receives where its old output columns are now.
[[nodiscard]] operator_spec remap_inputs(const operator_spec& spec,
                                         const std::vector<column_mapping>& inputs,
                                         const std::vector<bool>& outputs_read,
                                         const std::vector<std::uint32_t>& new_widths,
                                         column_mapping& output);

/// Same operator with the same parameters.
[[nodiscard]] bool same_spec(const operator_spec& a, const operator_spec& b);

/// Drops what no sink reads and computes equal subplans once.
[[nodiscard]] plan_graph share_subplans(const plan_graph& graph);

/// Drops unread columns; puts projections before operators that keep or send rows.
[[nodiscard]] plan_graph prune_columns(const plan_graph& graph);

} // namespace ebb
