#include "actors/runtime/build_stream.hpp"

#include "actors/dataflow/operators/assign_watermarks.hpp"
#include "actors/plan/changelog.hpp"
#include "actors/plan/exchange_hashes.hpp"
#include "actors/plan/stateful_steps.hpp"
#include "actors/runtime/alignment_board.hpp"
#include "actors/runtime/meeting_sources.hpp"
#include "actors/runtime/stream_parts.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace ebb {

namespace {

std::uint32_t channels_of(const stage_plan& plan, const stage_input& input) {
  return input.kind == exchange_kind::forward ? 1 : plan.stages[input.from_stage].parallelism;
}

partition_spec partition_of(const stage_plan& plan, const stage_input& input,
                            std::uint32_t targets) {
  const auto& step = plan.stages[input.from_stage].steps[input.from_step];
  const auto* from = std::get_if<operator_spec>(&step.what);
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
    result.hashed = from != nullptr && hashes_come_along(*from, input.keys);
    break;
  case exchange_kind::broadcast:
    result.how = partitioning::broadcast;
    result.targets = targets;
    break;
  }
  return result;
}

/// Its records are changes, matched by whole rows: what is wrong with one is found out later.
bool passes_changes_on(const source_definition& x) {
  return x.primary_key.empty() && reads_changes(x);
}

/// Those from which rows come to a step, by name.
std::vector<std::string> change_sources(const stage_plan& plan, const stream_definition& stream,
                                        std::uint32_t stage, std::uint32_t step) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> seen{{stage, step}};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open{{stage, step}};
  std::set<std::string> names;
  while (!open.empty()) {
    const auto [s, i] = open.back();
    open.pop_back();
    const auto& at = plan.stages[s];
    if (const auto* source = std::get_if<source_node>(&at.steps[i].what);
        source != nullptr && passes_changes_on(stream.sources[source->source]))
      names.insert(stream.sources[source->source].name);
    for (const auto& x : at.steps[i].inputs) {
      const auto from = x.from_outside ? std::pair{at.inputs[x.index].from_stage,
                                                   at.inputs[x.index].from_step}
                                       : std::pair{s, x.index};
      if (seen.insert(from).second)
        open.push_back(from);
    }
  }
  return {names.begin(), names.end()};
}

/// Builds the subtasks of one stream. What it has opened gives up when it is not handed over.
class builder {
public:
  builder(const stage_plan& plan, const stream_definition& stream, connector_factory& connectors,
          const stream_environment& environment, const stream_start* start)
      : plan_(plan), stream_(stream), connectors_(connectors), environment_(environment),
        start_(start), first_(first_subtasks(plan)) {
    for (const auto& group : meeting_sources(plan)) {
      const auto board = std::make_shared<alignment_board>(environment.source_allowance);
      for (const auto& x : group)
        boards_[{x.stage, x.step}] = {board, x};
    }
  }

  ~builder() {
    abandon(setup_);
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
    setup_.part = environment_.part;
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
    built.part = part_of(index, at.parallelism, environment_.parts);
    built.waker = std::make_shared<wake_target>();
    built.board = std::make_shared<stats_board>();
    if (start_ != nullptr)
      built.generation = start_->generation;
    if (built.part != environment_.part) {
      setup_.subtasks.push_back(std::move(built));
      return {};
    }
    built.clock = environment_.clock;
    built.keep = environment_.keep;
    built.slice = environment_.slice;
    subtask_parts parts;
    parts.stream = stream_.name;
    parts.limits = environment_.batches;
    parts.advances = stream_.sleep.advance;
    parts.channel_window = window_for(at.parallelism);
    parts.limits.bytes_uncut = std::min(parts.limits.bytes_uncut, parts.channel_window);
    for (const auto& x : at.inputs)
      parts.inputs.push_back(channels_of(plan_, x));
    bool rows_come = add_channels_without_rows(at, index, parts);
    // By user stage and input; `wire` goes through them in the same order.
    for (const auto& user : plan_.stages)
      for (const auto& x : user.inputs)
        if (x.from_stage == s)
          parts.outputs.push_back({x.from_step, partition_of(plan_, x, user.parallelism)});
    if (start_ != nullptr) {
      parts.checkpoints = true;
      parts.first_key_group =
          static_cast<std::uint16_t>(first_key_group(index, at.parallelism, plan_.key_groups));
      parts.last_key_group =
          static_cast<std::uint16_t>(first_key_group(index + 1, at.parallelism, plan_.key_groups));
    }
    auto opened = open_steps(s, index, built.waker, parts);
    for (std::uint32_t i = 0; i < parts.steps.size(); ++i)
      align(s, i, built.waker, parts.steps[i]);
    if (!opened) {
      for (auto& x : parts.steps)
        if (auto* sink = std::get_if<std::unique_ptr<sink_writer>>(&x.body))
          (*sink)->abandon();
      return opened;
    }
    for (const auto& x : parts.steps)
      if (const auto* reader = std::get_if<std::unique_ptr<source_reader>>(&x.body))
        rows_come |= (*reader)->partitions() != 0;
    if (!rows_come)
      without_rows_.insert(built.number);
    built.task = std::make_unique<subtask>(std::move(parts));
    setup_.subtasks.push_back(std::move(built));
    return {};
  }

  /// Says behind which channels no partition lies, so that how far time has come does not depend on
  /// when their senders end; of senders in other parts that is not known. True when rows may come on
  /// some channel.
  bool add_channels_without_rows(const stage& at, std::uint32_t index, subtask_parts& parts) const {
    bool any = false;
    for (std::uint32_t i = 0; i < at.inputs.size(); ++i) {
      const bool forward = at.inputs[i].kind == exchange_kind::forward;
      std::vector<std::pair<std::uint32_t, std::uint32_t>> found;
      for (std::uint32_t c = 0; c < parts.inputs[i]; ++c)
        if (without_rows_.contains(first_[at.inputs[i].from_stage] + (forward ? index : c)))
          found.emplace_back(i, c);
      if (found.size() == parts.inputs[i])
        continue;
      any = true;
      parts.without_rows.insert(parts.without_rows.end(), found.begin(), found.end());
    }
    return any;
  }

  /// A source whose rows meet those of others waits for them.
  void align(std::uint32_t s, std::uint32_t i, const std::shared_ptr<wake_target>& waker,
             subtask_step& x) {
    const auto found = boards_.find({s, i});
    if (found == boards_.end())
      return;
    const auto& [board, source] = found->second;
    x.alignment = aligned_source(board, board->join(waker, source.role));
    x.time_step = source.time_step;
  }

  result<void> open_steps(std::uint32_t number, std::uint32_t index,
                          const std::shared_ptr<wake_target>& waker, subtask_parts& parts) {
    const auto& at = plan_.stages[number];
    for (std::uint32_t i = 0; i < at.steps.size(); ++i) {
      const auto& from = at.steps[i];
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
      context.interrupted = environment_.interrupted;
      if (environment_.note)
        context.note = [note = environment_.note, name = stream_.name](const std::string& text) {
          note(name, text);
        };
      if (start_ != nullptr)
        begin_at(from, context);
      if (const auto* source = std::get_if<source_node>(&from.what)) {
        const auto& definition = stream_.sources[source->source];
        EBB_ASSIGN(x.body, connectors_.open_source(definition, std::move(context)));
      } else if (const auto* sink = std::get_if<sink_node>(&from.what)) {
        context.updating = sink->updating;
        context.unique_key = sink->key;
        schema columns;
        for (const auto& c : step_before(plan_, at, from.inputs.front()).columns)
          columns.push_back({c.name, c.type, c.not_null});
        EBB_ASSIGN(x.body,
                   connectors_.open_sink(stream_.sinks[sink->sink], columns, std::move(context)));
      } else {
        auto known = context_of(plan_, at, from);
        known.subtask = index;
        x.body = make_body(from, input_source(at, from), std::move(known));
        x.change_sources = change_sources(plan_, stream_, number, i);
        if (start_ != nullptr)
          x.operator_number = operator_number(number, i);
      }
      parts.steps.push_back(std::move(x));
    }
    return {};
  }

  /// The source that the step reads in its own stage; null = none.
  static const source_node* input_source(const stage& at, const stage_step& x) {
    return x.inputs.size() == 1 && !x.inputs.front().from_outside
               ? std::get_if<source_node>(&at.steps[x.inputs.front().index].what)
               : nullptr;
  }

  /// What a source's time does while it is quiet is for the source and the stream to say, not for
  /// the plan.
  std::unique_ptr<stream_operator> make_body(const stage_step& x, const source_node* source,
                                             operator_context known) const {
    const auto& spec = std::get<operator_spec>(x.what);
    const auto* time = std::get_if<assign_watermarks_spec>(&spec);
    if (time == nullptr || source == nullptr || !stream_.sources[source->source].time)
      return environment_.make(spec, std::move(known));
    quiet_time quiet;
    quiet.idle_after = stream_.sources[source->source].time->idle_after.value_or(max_time);
    if (stream_.sleep.advance)
      quiet.advance_after = stream_.sleep.advance_after;
    return make_assign_watermarks(*time, std::move(known), quiet);
  }

  /// Where a connector stood in the restored epoch.
  void begin_at(const stage_step& step, connector_context& context) const {
    context.output_folder = start_->output_folder;
    context.stream_uid = start_->uid;
    context.generation = start_->generation;
    if (const auto found = start_->positions.find(step.name);
        found != start_->positions.end() && std::holds_alternative<source_node>(step.what)) {
      context.positions = found->second;
      for (const auto& x : found->second)
        context.partitions = std::max(context.partitions, x.partition + 1);
    }
    if (const auto found = start_->outputs.find(step.name);
        found != start_->outputs.end() && std::holds_alternative<sink_node>(step.what))
      context.outputs = found->second;
  }

  [[nodiscard]] std::optional<std::uint16_t> operator_number(std::uint32_t s,
                                                             std::uint32_t i) const {
    for (const auto& x : stateful_)
      if (x.stage == s && x.step == i) {
        const auto& known = start_->operators;
        const auto found = std::find(known.begin(), known.end(), x.identity);
        EBB_ASSERT(found != known.end());
        return static_cast<std::uint16_t>(found - known.begin());
      }
    return std::nullopt;
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
  const stream_start* start_;
  std::vector<stateful_step> stateful_ = stateful_steps(plan_);
  std::vector<std::uint32_t> first_;
  std::set<std::uint32_t> without_rows_; ///< numbers of subtasks that no partition reaches
  /// By stage and step: where a source meets others, and how.
  std::map<std::pair<std::uint32_t, std::uint32_t>,
           std::pair<std::shared_ptr<alignment_board>, timed_source>>
      boards_;
  supervisor_setup setup_;
};

} // namespace

operator_context context_of(const stage_plan& plan, const stage& at, const stage_step& step) {
  operator_context known;
  known.name = step.name;
  known.key_groups = plan.key_groups;
  known.parallelism = at.parallelism;
  for (const auto& input : step.inputs) {
    auto& types = known.inputs.emplace_back();
    for (const auto& c : step_before(plan, at, input).columns)
      types.push_back(c.type);
  }
  return known;
}

result<supervisor_setup> build_stream(const stage_plan& plan, const stream_definition& stream,
                                      connector_factory& connectors,
                                      const stream_environment& environment,
                                      const stream_start* start) {
  return builder(plan, stream, connectors, environment, start).build();
}

void abandon(const supervisor_setup& setup) {
  for (const auto& x : setup.subtasks)
    if (x.task)
      x.task->abandon();
}

std::vector<std::uint32_t> first_subtasks(const stage_plan& plan) {
  std::vector<std::uint32_t> result{0};
  for (const auto& x : plan.stages)
    result.push_back(result.back() + x.parallelism);
  return result;
}

} // namespace ebb
