#include "actors/runtime/build_stream.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

std::uint32_t channels_of(const stage_plan& plan, const stage_input& input) {
  return input.kind == exchange_kind::forward ? 1 : plan.stages[input.from_stage].parallelism;
}

const std::vector<plan_column>& columns_of(const stage_plan& plan, const stage& at,
                                           const step_input& input) {
  if (!input.from_outside)
    return at.steps[input.index].columns;
  const auto& from = at.inputs[input.index];
  return plan.stages[from.from_stage].steps[from.from_step].columns;
}

partition_spec partition_of(const stage_plan& plan, const stage_input& input,
                            std::uint32_t targets) {
  partition_spec result;
  result.key_groups = plan.key_groups;
  switch (input.kind) {
  case exchange_kind::forward:
  case exchange_kind::gather:
    break;
  case exchange_kind::hash:
    result.how = partitioning::hash;
    result.targets = targets;
    result.keys = input.keys;
    break;
  case exchange_kind::broadcast:
    result.how = partitioning::broadcast;
    result.targets = targets;
    break;
  }
  return result;
}

/// Builds the subtasks of one stream. What it has opened gives up when it is not handed over.
class builder {
public:
  builder(const stage_plan& plan, const stream_definition& stream, connector_factory& connectors,
          const stream_environment& environment)
      : plan_(plan), stream_(stream), connectors_(connectors), environment_(environment),
        first_(first_subtasks(plan)) {}

  ~builder() {
    for (auto& x : setup_.subtasks)
      x.task->abandon();
  }

  builder(const builder&) = delete;
  builder& operator=(const builder&) = delete;

  result<supervisor_setup> build() {
    for (std::uint32_t s = 0; s < plan_.stages.size(); ++s)
      for (std::uint32_t i = 0; i < plan_.stages[s].parallelism; ++i)
        EBB_TRY(add_subtask(s, i));
    setup_.wiring.resize(setup_.subtasks.size());
    for (std::uint32_t s = 0; s < plan_.stages.size(); ++s)
      for (const auto& x : plan_.stages[s].inputs)
        wire(s, x);
    setup_.outcome = std::make_shared<stream_outcome>();
    return std::exchange(setup_, {});
  }

private:
  /// A consumer has a channel from each subtask of this stage; together they hold four windows.
  [[nodiscard]] std::size_t window_for(std::uint32_t senders) const {
    const auto window = environment_.channel_window;
    return std::clamp(4 * window / senders, std::min(window, environment_.batches.bytes_max),
                      window);
  }

  result<void> add_subtask(std::uint32_t s, std::uint32_t index) {
    const auto& at = plan_.stages[s];
    subtask_setup built;
    built.number = static_cast<std::uint32_t>(setup_.subtasks.size());
    built.waker = std::make_shared<wake_target>();
    built.board = std::make_shared<stats_board>();
    built.clock = environment_.clock;
    built.slice = environment_.slice;
    subtask_parts parts;
    parts.stream = stream_.name;
    parts.limits = environment_.batches;
    parts.channel_window = window_for(at.parallelism);
    parts.limits.bytes_uncut = std::min(parts.limits.bytes_uncut, parts.channel_window);
    for (const auto& x : at.inputs)
      parts.inputs.push_back(channels_of(plan_, x));
    // By user stage and input; `wire` goes through them in the same order.
    for (const auto& user : plan_.stages)
      for (const auto& x : user.inputs)
        if (x.from_stage == s)
          parts.outputs.push_back({x.from_step, partition_of(plan_, x, user.parallelism)});
    auto opened = open_steps(at, index, built.waker, parts);
    if (!opened) {
      for (auto& x : parts.steps)
        if (auto* sink = std::get_if<std::unique_ptr<sink_writer>>(&x.body))
          (*sink)->abandon();
      return opened;
    }
    built.task = std::make_unique<subtask>(std::move(parts));
    setup_.subtasks.push_back(std::move(built));
    return {};
  }

  result<void> open_steps(const stage& at, std::uint32_t index,
                          const std::shared_ptr<wake_target>& waker, subtask_parts& parts) {
    for (const auto& from : at.steps) {
      subtask_step x;
      x.name = from.name;
      for (const auto& input : from.inputs)
        x.inputs.push_back({input.from_outside, input.index});
      connector_context context;
      context.io = environment_.io;
      context.wake = [waker] { waker->wake(); };
      context.subtask = index;
      context.parallelism = at.parallelism;
      context.stream = stream_.name;
      context.folder = stream_.folder;
      context.data_folder = environment_.data_folder;
      if (const auto* source = std::get_if<source_node>(&from.what)) {
        const auto& definition = stream_.sources[source->source];
        EBB_ASSIGN(x.body, connectors_.open_source(definition, std::move(context)));
        if (definition.time && definition.time->idle_after)
          x.idle_after = *definition.time->idle_after;
      } else if (const auto* sink = std::get_if<sink_node>(&from.what)) {
        schema columns;
        for (const auto& c : columns_of(plan_, at, from.inputs.front()))
          columns.push_back({c.name, c.type, c.not_null});
        EBB_ASSIGN(x.body,
                   connectors_.open_sink(stream_.sinks[sink->sink], columns, std::move(context)));
      } else {
        operator_context known;
        known.name = from.name;
        known.key_groups = plan_.key_groups;
        for (const auto& input : from.inputs) {
          auto& types = known.inputs.emplace_back();
          for (const auto& c : columns_of(plan_, at, input))
            types.push_back(c.type);
        }
        x.body = environment_.make(std::get<operator_spec>(from.what), std::move(known));
      }
      parts.steps.push_back(std::move(x));
    }
    return {};
  }

  /// Joins the subtasks on both sides of one stage input.
  void wire(std::uint32_t to_stage, const stage_input& input) {
    const auto from_stage = input.from_stage;
    const auto upstream = plan_.stages[from_stage].parallelism;
    const auto downstream = plan_.stages[to_stage].parallelism;
    const auto connect = [&](std::uint32_t u, std::uint32_t target, std::uint32_t d,
                             std::uint32_t channel) {
      auto& from = setup_.wiring[first_[from_stage] + u];
      auto& to = setup_.wiring[first_[to_stage] + d];
      const auto output = static_cast<std::uint32_t>(from.outputs.size() - 1);
      const auto port = static_cast<std::uint32_t>(to.inputs.size() - 1);
      from.outputs.back().push_back({first_[to_stage] + d, port, channel});
      to.inputs.back().push_back({first_[from_stage] + u, output, target});
    };
    for (std::uint32_t u = 0; u < upstream; ++u)
      setup_.wiring[first_[from_stage] + u].outputs.emplace_back();
    for (std::uint32_t d = 0; d < downstream; ++d)
      setup_.wiring[first_[to_stage] + d].inputs.emplace_back();
    switch (input.kind) {
    case exchange_kind::forward:
      EBB_ASSERT(upstream == downstream);
      for (std::uint32_t u = 0; u < upstream; ++u)
        connect(u, 0, u, 0);
      return;
    case exchange_kind::gather:
      EBB_ASSERT(downstream == 1);
      for (std::uint32_t u = 0; u < upstream; ++u)
        connect(u, 0, 0, u);
      return;
    case exchange_kind::hash:
    case exchange_kind::broadcast:
      for (std::uint32_t u = 0; u < upstream; ++u)
        for (std::uint32_t d = 0; d < downstream; ++d)
          connect(u, d, d, u);
      return;
    }
  }

  const stage_plan& plan_;
  const stream_definition& stream_;
  connector_factory& connectors_;
  const stream_environment& environment_;
  std::vector<std::uint32_t> first_;
  supervisor_setup setup_;
};

} // namespace

result<supervisor_setup> build_stream(const stage_plan& plan, const stream_definition& stream,
                                      connector_factory& connectors,
                                      const stream_environment& environment) {
  return builder(plan, stream, connectors, environment).build();
}

std::vector<std::uint32_t> first_subtasks(const stage_plan& plan) {
  std::vector<std::uint32_t> result{0};
  for (const auto& x : plan.stages)
    result.push_back(result.back() + x.parallelism);
  return result;
}

} // namespace ebb
