#include "actors/plan/stage_plan.hpp"

#include "actors/plan/changelog.hpp"
#include "actors/plan/distribution.hpp"
#include "actors/plan/rewrite.hpp"
#include "actors/plan/sink_folder.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// Where a node ended up.
struct placed {
  std::uint32_t stage = 0;
  std::uint32_t step = 0;
  distribution lies; ///< of its output rows
};

class stage_cutter {
public:
  stage_cutter(const plan_graph& graph, const stream_definition& stream)
      : graph_(graph), stream_(stream), placed_(graph.nodes.size()) {
    plan_.key_groups = stream.max_parallelism;
  }

  stage_plan run() {
    for (node_id id = 0; id < graph_.nodes.size(); ++id) {
      at_ = id;
      place(id);
    }
    return std::move(plan_);
  }

private:
  const plan_node& node(node_id id) const {
    return graph_.nodes[id];
  }

  std::uint32_t parallelism_of(const plan_node& x) const {
    for (const auto& definition : stream_.operators)
      if (definition.name == x.name && definition.parallelism)
        return *definition.parallelism;
    return stream_.parallelism;
  }

  bool in_order(const source_node& x) const {
    const auto& source = stream_.sources[x.source];
    return source.replaces || reads_changes(source);
  }

  void place(node_id id) {
    const auto& x = node(id);
    if (std::holds_alternative<source_node>(x.what)) {
      // Changes of one row come in the order of their files and partitions: one subtask reads them.
      const auto at =
          new_stage(in_order(*std::get_if<source_node>(&x.what)) ? 1 : parallelism_of(x));
      placed_[id] = {at, add_step(at, x, x.what, {}), {}};
    } else if (const auto* sink = std::get_if<sink_node>(&x.what)) {
      place_sink(id, *sink);
    } else {
      place_operator(id, std::get<operator_spec>(x.what));
    }
  }

  void place_sink(node_id id, const sink_node& sink) {
    const auto& connector = stream_.sinks[sink.sink].connector;
    const auto* file = std::get_if<file_sink>(&connector);
    const bool parallel = std::holds_alternative<discard_sink>(connector)
                          || std::holds_alternative<topic_sink>(connector)
                          || (file != nullptr && writes_parts(*file, stream_.folder));
    const auto from = node(id).inputs[0];
    const distribution wanted{parallel ? placement::any : placement::single, {}};
    placed_[id] = append(node(id), node(id).what, {from}, {wanted}, {false});
  }

  void place_operator(node_id id, const operator_spec& spec) {
    const auto& x = node(id);
    const auto wanted = required(spec, x.inputs.size());
    if (const auto* aggregate = std::get_if<window_aggregate_spec>(&spec);
        aggregate != nullptr && splits_in_phases(*aggregate)
        && !satisfied(x.inputs[0], wanted[0], target_parallelism(x, wanted))) {
      place_in_two_phases(id, *aggregate);
      return;
    }
    if (const auto* groups = std::get_if<group_aggregate_spec>(&spec);
        groups != nullptr && splits_in_phases(*groups)
        && !satisfied(x.inputs[0], wanted[0], target_parallelism(x, wanted))) {
      place_in_two_phases(id, *groups);
      return;
    }
    const auto side = spread_side(x, spec);
    auto what = x.what;
    std::vector<bool> spread(x.inputs.size(), false);
    if (side >= 0) {
      auto& made = std::get<operator_spec>(what);
      if (auto* join = std::get_if<window_join_spec>(&made))
        join->spread = side;
      else
        std::get<interval_join_spec>(made).spread = side;
      spread[static_cast<std::size_t>(side)] = parallelism_of(x) > 1;
    }
    auto asked = wanted;
    for (std::size_t k = 0; k < spread.size(); ++k)
      if (spread[k])
        for (std::size_t other = 0; other < asked.size(); ++other)
          if (other != k)
            asked[other] = {};
    placed_[id] = append(x, what, x.inputs, asked, spread);
    auto& lies = placed_[id].lies;
    lies = delivered(spec, input_lies_);
  }

  // Which input of a join goes whole to every subtask, whatever their number: a side with at most
  // one row a window, where the other side then need not move at all. -1 = none.
  std::int32_t spread_side(const plan_node& x, const operator_spec& spec) const {
    join_type type = join_type::full;
    if (const auto* join = std::get_if<window_join_spec>(&spec))
      type = join->type;
    else if (const auto* interval = std::get_if<interval_join_spec>(&spec))
      type = interval->type;
    if ((type == join_type::inner || type == join_type::left)
        && one_row_per_window(graph_, x.inputs[1]))
      return 1;
    if ((type == join_type::inner || type == join_type::right)
        && one_row_per_window(graph_, x.inputs[0]))
      return 0;
    return -1;
  }

  void place_in_two_phases(node_id id, const window_aggregate_spec& spec) {
    auto before = spec;
    before.phase = aggregate_phase::partial;
    auto after = spec;
    after.phase = aggregate_phase::final;
    std::iota(after.keys.begin(), after.keys.end(), 0U);
    // The window's columns stand behind the keys now. An unread start stays unread: the rows of
    // one window must be hashed as they are where they meet in one phase.
    const auto first = static_cast<std::int32_t>(after.keys.size());
    if (after.window.start_column >= 0)
      after.window.start_column = first;
    if (after.window.end_column >= 0)
      after.window.end_column = first + 1;
    place_phases(id, before, after, spec.keys.size() + 2);
  }

  void place_in_two_phases(node_id id, const group_aggregate_spec& spec) {
    auto before = spec;
    before.phase = group_phase::partial;
    auto after = spec;
    after.phase = group_phase::final;
    std::iota(after.keys.begin(), after.keys.end(), 0U);
    place_phases(id, before, after, spec.keys.size());
  }

  /// `first`: columns of partial rows before the states of the calls.
  template <class Spec>
  void place_phases(node_id id, const Spec& before, const Spec& after, std::size_t first) {
    const auto& x = node(id);
    plan_node partial = x;
    partial.label = x.label + " (partial)";
    partial.what = operator_spec{before};
    partial.columns = partial_columns(x, first, before.calls);
    const auto at = append(partial, partial.what, x.inputs, {distribution{}}, {false});
    plan_node final = x;
    final.label = x.label + " (final)";
    final.what = operator_spec{after};
    const auto& spec = std::get<operator_spec>(final.what);
    const auto wanted = required(spec, 1)[0];
    placed_[id] = append_to(final, final.what, {at}, {wanted}, {false});
    placed_[id].lies = delivered(spec, wanted);
  }

  /// The first columns of the result, then the states of the calls.
  static std::vector<plan_column> partial_columns(const plan_node& x, std::size_t first,
                                                  const std::vector<aggregate_call>& calls) {
    std::vector<plan_column> columns(x.columns.begin(),
                                     x.columns.begin() + static_cast<std::ptrdiff_t>(first));
    for (const auto& call : calls)
      for (const auto& type : call.function->state_types(call.arg_types)) {
        plan_column state;
        state.name = call.function->name + " state";
        state.type = type;
        columns.push_back(std::move(state));
      }
    return columns;
  }

  std::uint32_t target_parallelism(const plan_node& x,
                                   const std::vector<distribution>& wanted) const {
    const bool single = std::any_of(wanted.begin(), wanted.end(),
                                    [](const auto& d) { return d.where == placement::single; });
    return single ? 1 : parallelism_of(x);
  }

  bool satisfied(const placed& from, const distribution& wanted, std::uint32_t parallelism) const {
    const auto has = plan_.stages[from.stage].parallelism;
    if (wanted.where == placement::any)
      return true;
    if (has == 1 && parallelism == 1)
      return true;
    return has == parallelism && wanted == from.lies;
  }

  bool satisfied(node_id from, const distribution& wanted, std::uint32_t parallelism) const {
    return satisfied(placed_[from], wanted, parallelism);
  }

  placed append(const plan_node& x, const decltype(plan_node::what)& what,
                const std::vector<node_id>& inputs, const std::vector<distribution>& wanted,
                const std::vector<bool>& spread) {
    std::vector<placed> from;
    for (const auto input : inputs)
      from.push_back(placed_[input]);
    return append_to(x, what, from, wanted, spread);
  }

  // Puts a step behind its inputs: into their stage where no row has to move, else into a new one.
  placed append_to(const plan_node& x, const decltype(plan_node::what)& what,
                   const std::vector<placed>& from, const std::vector<distribution>& wanted,
                   const std::vector<bool>& spread) {
    auto parallelism = target_parallelism(x, wanted);
    // Rows that may stay where they are keep their parallelism.
    for (std::size_t k = 0; k < from.size(); ++k)
      if (wanted[k].where == placement::any && !is_spread(spread, k))
        parallelism = plan_.stages[from[k].stage].parallelism;
    bool fits = true;
    for (std::size_t k = 0; k < from.size(); ++k)
      fits = fits && !is_spread(spread, k) && from[k].stage == from[0].stage
             && satisfied(from[k], wanted[k], parallelism)
             && plan_.stages[from[k].stage].parallelism == parallelism;
    input_lies_ = {};
    placed result;
    if (fits) {
      std::vector<step_input> inputs;
      for (const auto& source : from)
        inputs.push_back({false, source.step});
      result.stage = from[0].stage;
      result.step = add_step(result.stage, x, what, std::move(inputs));
      input_lies_ = from[0].lies;
    } else {
      result.stage = new_stage(parallelism);
      std::vector<step_input> inputs;
      for (std::size_t k = 0; k < from.size(); ++k) {
        const auto index = add_exchange(result.stage, from[k], wanted[k], is_spread(spread, k));
        inputs.push_back({true, index});
      }
      result.step = add_step(result.stage, x, what, std::move(inputs));
      // Beside a spread side, rows lie as the other side's do.
      if (!is_spread(spread, 0))
        input_lies_ = wanted[0].where == placement::any ? from[0].lies : wanted[0];
    }
    result.lies = input_lies_;
    return result;
  }

  static bool is_spread(const std::vector<bool>& spread, std::size_t k) {
    return k < spread.size() && spread[k];
  }

  std::uint32_t add_exchange(std::uint32_t target, const placed& from, const distribution& wanted,
                             bool spread) {
    const auto parallelism = plan_.stages[target].parallelism;
    const auto before = plan_.stages[from.stage].parallelism;
    stage_input input;
    input.from_stage = from.stage;
    input.from_step = from.step;
    if (spread && parallelism > 1) {
      input.kind = exchange_kind::broadcast;
    } else if (before == parallelism
               && (wanted.where == placement::any || wanted == from.lies || parallelism == 1)) {
      input.kind = exchange_kind::forward;
    } else if (parallelism == 1) {
      input.kind = exchange_kind::gather;
    } else {
      input.kind = exchange_kind::hash;
      input.keys = wanted.keys;
      if (input.keys
              .empty()) // no key to go by (a union of different widths): spread by all columns
        for (std::uint32_t c = 0; c < plan_.stages[from.stage].steps[from.step].columns.size(); ++c)
          input.keys.push_back(c);
    }
    plan_.stages[target].inputs.push_back(std::move(input));
    return static_cast<std::uint32_t>(plan_.stages[target].inputs.size() - 1);
  }

  std::uint32_t new_stage(std::uint32_t parallelism) {
    plan_.stages.emplace_back().parallelism = parallelism;
    return static_cast<std::uint32_t>(plan_.stages.size() - 1);
  }

  std::uint32_t add_step(std::uint32_t at, const plan_node& x,
                         const decltype(plan_node::what)& what, std::vector<step_input> inputs) {
    stage_step step;
    step.name = x.name;
    step.label = x.label;
    step.what = what;
    step.inputs = std::move(inputs);
    step.columns = x.columns;
    step.node = at_;
    auto& steps = plan_.stages[at].steps;
    steps.push_back(std::move(step));
    return static_cast<std::uint32_t>(steps.size() - 1);
  }

  const plan_graph& graph_;
  const stream_definition& stream_;
  stage_plan plan_;
  std::vector<placed> placed_;
  node_id at_ = 0;            ///< the node that is placed
  distribution input_lies_; ///< how input 0 of the step placed last lies
};

} // namespace

result<stage_plan> make_stages(const plan_graph& graph, const stream_definition& stream) {
  const auto shared = share_subplans(graph);
  const auto narrow = prune_columns(shared);
  return stage_cutter{share_subplans(narrow), stream}.run();
}

} // namespace ebb
