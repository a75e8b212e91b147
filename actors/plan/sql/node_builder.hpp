/// Adds the nodes of one query to the plan: merges projections, derives what is known of columns.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ebb::sql {

/// `plan_column::lag` of a column that may lag behind the watermark by any time.
inline constexpr micros unbounded_lag = max_time;

/// What a column tells about time; see plan_column.
struct time_role {
  column_role role = column_role::plain;
  window_spec window;
  micros lag = 0;

  /// Rows can be put into time by this column: late ones can be told.
  [[nodiscard]] bool usable() const noexcept {
    return role != column_role::plain && lag != unbounded_lag;
  }
};

[[nodiscard]] inline time_role role_of(const plan_column& column) {
  return {column.role, column.window, column.lag};
}

/// The window as an identity: without the columns of the place where it was applied.
[[nodiscard]] window_spec identity_of(const window_spec& window);

/// Longest distance from a window's start to its end; unbounded_lag for sessions.
[[nodiscard]] micros longest(const window_spec& window);

/// Shortest distance from a window's start to its end.
[[nodiscard]] micros shortest(const window_spec& window);

/// a + b, where unbounded_lag stays what it is.
[[nodiscard]] micros add_lag(micros a, micros b);

struct output_column {
  std::string name;
  expr_ptr x;
  std::optional<time_role> role; ///< absent = derived from `x`
};

/// The parts of a conjunction, flattened.
void split_conjuncts(const expr_ptr& x, std::vector<expr_ptr>& out);

/// Top-down copy: `replace` answers null to go on into the arguments.
[[nodiscard]] expr_ptr rewrite(const expr_ptr& x,
                               const std::function<expr_ptr(const expr_ptr&)>& replace);

/// The columns that `x` reads, sorted, each once.
[[nodiscard]] std::vector<std::uint32_t> columns_of(const expr& x);

/// x + delta for a TIMESTAMP or TIMESTAMPTZ; x itself for 0.
[[nodiscard]] expr_ptr shifted(const expr_ptr& x, micros delta);

class node_builder {
public:
  /// Nodes belong to the operator `name`.
  node_builder(plan_graph& graph, std::string name)
      : graph_(graph), name_(std::move(name)), first_(static_cast<node_id>(graph.nodes.size())) {}

  [[nodiscard]] const plan_node& node(node_id id) const {
    return graph_.nodes[id];
  }

  [[nodiscard]] const std::vector<plan_column>& columns(node_id id) const {
    return graph_.nodes[id].columns;
  }

  [[nodiscard]] std::uint32_t width(node_id id) const {
    return static_cast<std::uint32_t>(graph_.nodes[id].columns.size());
  }

  /// True for nodes of this query.
  [[nodiscard]] bool own(node_id id) const noexcept {
    return id >= first_;
  }

  /// Whether the rows update and what tells them apart is derived; `why` says what holds where no
  /// input updates.
  node_id add(std::string label, operator_spec what, std::vector<node_id> inputs,
              std::vector<plan_column> columns, std::string why);

  /// Rows of `input` for which `predicate` is true (null = all), as `outputs`. Joined with the
  /// projection below where no work would be repeated.
  node_id project(node_id input, expr_ptr predicate, std::vector<output_column> outputs);
  /// All columns, rows for which every part is true.
  node_id filter(node_id input, std::vector<expr_ptr> conjuncts);
  /// Every column of a node, as outputs of a projection.
  [[nodiscard]] std::vector<output_column> pass(node_id id) const;

  void warn(error warning) {
    graph_.warnings.push_back(std::move(warning));
  }

  /// State grows with its keys.
  void warn_of_growth(error warning) {
    graph_.growth.push_back(graph_.warnings.size());
    warn(std::move(warning));
  }

  /// Drops the query's nodes that `result` does not need; returns its new id. The result is a node
  /// of this query: a projection is added where it is not.
  node_id finish(node_id result);

private:
  [[nodiscard]] plan_node with_changes(plan_node node) const;
  node_id place(plan_node node);

  plan_graph& graph_;
  std::string name_;
  node_id first_;
};

} // namespace ebb::sql
