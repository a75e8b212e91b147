/// The physical plan: stages of fused operators, joined by exchanges.
#pragma once

#include "actors/plan/plan_graph.hpp"

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace ebb {

enum class exchange_kind : std::uint8_t {
  forward,   ///< subtask i to subtask i; both stages have the same parallelism
  hash,      ///< by key group of the key columns
  broadcast, ///< every row to every subtask
  gather,    ///< all to the one subtask of the target
};

/// Rows that enter a stage from another one.
struct stage_input {
  std::uint32_t from_stage = 0;
  std::uint32_t from_step = 0; ///< step of that stage whose rows are sent
  exchange_kind kind = exchange_kind::forward;
  std::vector<std::uint32_t> keys; ///< hash
};

/// Where a step's input comes from: another step of the stage, or a stage input.
struct step_input {
  bool from_outside = false;
  std::uint32_t index = 0; ///< of the step or of the stage_input
};

/// One fused operator of a stage. Steps are in topological order.
struct stage_step {
  std::string name;
  std::string label;
  std::variant<source_node, operator_spec, sink_node> what;
  std::vector<step_input> inputs;
  std::vector<plan_column> columns;
  std::uint32_t node = 0; ///< of the plan before it was cut, whatever the parallelism
};

struct stage {
  std::uint32_t parallelism = 1;
  std::vector<stage_input> inputs;
  std::vector<stage_step> steps;
};

struct stage_plan {
  std::vector<stage> stages; ///< inputs before users
  std::uint16_t key_groups = 128;
};

/// The step whose rows come in by `input` of a step of `at`, wherever it runs.
[[nodiscard]] inline const stage_step& step_before(const stage_plan& plan, const stage& at,
                                                   const step_input& input) {
  if (!input.from_outside)
    return at.steps[input.index];
  const auto& from = at.inputs[input.index];
  return plan.stages[from.from_stage].steps[from.from_step];
}

/// Cuts the graph into stages. Unread columns are dropped early (not at sources), equal subplans
/// are computed once, skewed aggregates are split in two phases before an exchange.
[[nodiscard]] result<stage_plan> make_stages(const plan_graph& graph,
                                             const stream_definition& stream);

/// `ebb explain`: text for people, JSON, Graphviz.
[[nodiscard]] std::string explain_text(const plan_graph& graph, const stage_plan& plan,
                                       const stream_definition& stream);
[[nodiscard]] std::string explain_json(const plan_graph& graph, const stage_plan& plan,
                                       const stream_definition& stream);
[[nodiscard]] std::string explain_dot(const plan_graph& graph, const stage_plan& plan,
                                      const stream_definition& stream);

/// First key group of subtask i of n: groups [first(i), first(i+1)) belong to it.
[[nodiscard]] constexpr std::uint32_t first_key_group(std::uint32_t i, std::uint32_t n,
                                                      std::uint32_t groups) noexcept {
  return static_cast<std::uint32_t>((static_cast<std::uint64_t>(i) * groups + n - 1) / n);
}

} // namespace ebb
