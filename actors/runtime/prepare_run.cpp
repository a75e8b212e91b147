#include "actors/runtime/prepare_run.hpp"

#include "actors/runtime/state_check.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace ebb {

namespace {

const sink_definition& sink_named(const stream_definition& stream, const std::string& name) {
  return *std::find_if(stream.sinks.begin(), stream.sinks.end(),
                       [&](const auto& x) { return x.name == name; });
}

/// Changes whenever the stream has read, written or held back something.
std::uint64_t activity_of(const std::vector<std::shared_ptr<stats_board>>& boards) {
  std::uint64_t sum = 0;
  for (const auto& board : boards) {
    const auto entry = board->read();
    for (const auto& x : entry.steps)
      sum += x.rows.rows_in + x.rows.rows_out + x.source.rows + x.source.bad_rows + x.sink.rows;
    sum = sum * 31 + static_cast<std::uint64_t>(entry.watermark);
  }
  return sum;
}

result<void> apply_earlier_output(const stream_definition& stream, const stream_data& data,
                                  const output_applier& apply) {
  for (const auto& x : data.unapplied) {
    if (auto applied = apply(x); !applied) {
      auto problem = std::move(applied).error();
      if (problem.place.field.empty())
        problem.place.field = "stream " + stream.name + ", sink " + x.sink;
      return problem;
    }
    EBB_TRY(data.store->applied(x));
  }
  return {};
}

/// What sinks have written after the record that was gone back to.
result<void> take_back_output(const stream_definition& stream, connector_factory& connectors,
                              const stream_data& data, const run_options& options) {
  if (!data.went_back || (!stream.exactly_once && !data.asked_to_take_back))
    return {};
  for (const auto& sink : stream.sinks) {
    sink_rewind to;
    to.stream_uid = data.start.uid;
    to.epoch = data.start.epoch;
    to.asked = data.asked_to_take_back;
    if (const auto found = data.start.outputs.find(sink.name); found != data.start.outputs.end())
      to.outputs = found->second;
    for (const auto& x : data.tokens)
      if (x.sink == sink.name)
        to.kept.emplace_back(x.lane, x.epoch);
    auto done = connectors.take_back(sink, stream.folder, to);
    if (!done) {
      auto problem = std::move(done).error();
      if (problem.place.field.empty())
        problem.place.field = "stream " + stream.name + ", sink " + sink.name;
      return problem;
    }
    if (*done != 0 && options.note)
      options.note(stream.name, "took back what sink " + sink.name + " had written after epoch "
                                    + std::to_string(to.epoch) + ": " + std::to_string(*done)
                                    + (*done == 1 ? " file" : " files"));
  }
  return {};
}

/// `hourly (subtask 2 of 4)`; what is fused runs in one subtask.
std::vector<subtask_label> labels_of(const stage_plan& plan, const supervisor_setup& setup) {
  std::vector<std::string> names;
  for (const auto& stage : plan.stages) {
    std::vector<std::string> steps;
    for (const auto& x : stage.steps)
      if (std::find(steps.begin(), steps.end(), x.name) == steps.end())
        steps.push_back(x.name);
    std::string fused;
    for (const auto& x : steps)
      fused += (fused.empty() ? "" : " + ") + x;
    for (std::uint32_t i = 1; i <= stage.parallelism; ++i)
      names.push_back(fused + " (subtask " + std::to_string(i) + " of "
                      + std::to_string(stage.parallelism) + ")");
  }
  std::vector<subtask_label> all;
  for (const auto& x : setup.subtasks)
    all.push_back({names[x.number], x.part});
  return all;
}

checkpoint_setup checkpoints_of(const planned_stream& planned, const stream_data& data,
                                const supervisor_setup& setup, output_applier apply,
                                const stream_environment& environment) {
  const auto& stream = planned.definition;
  checkpoint_setup result;
  result.settings.interval = stream.checkpoint_interval;
  result.generation = data.start.generation;
  result.recorded = data.start.epoch;
  result.store = data.store;
  result.apply = std::move(apply);
  std::vector<std::shared_ptr<stats_board>> boards;
  for (const auto& x : setup.subtasks)
    boards.push_back(x.board);
  result.activity = [boards = std::move(boards)] { return activity_of(boards); };
  result.clock = environment.clock;
  result.io = environment.io;
  result.lane = environment.io->open_lane();
  result.maintenance_lane = environment.io->open_lane();
  result.board = std::make_shared<checkpoint_board>();
  result.snapshots = std::make_shared<snapshot_board>();
  result.labels =
      std::make_shared<const std::vector<subtask_label>>(labels_of(planned.plan, setup));
  // Parts without subtasks are the last ones.
  for (const auto& x : setup.subtasks)
    result.processes = std::max(result.processes, x.part + 1);
  return result;
}

std::string finished_before(const stream_definition& stream) {
  const bool has_files = std::any_of(
      stream.sources.begin(), stream.sources.end(),
      [](const auto& x) { return std::holds_alternative<file_source>(x.connector); });
  return "has finished before; input that came later is not read; --from fresh --yes runs it again"
         + std::string(has_files ? ", and with follow: true it does not finish: it reads on in files "
                                   "that grow, and a further run reads new ones"
                                 : "");
}

result<prepared_stream> prepare_with_data(const planned_stream& stream,
                                          connector_factory& connectors,
                                          const stream_environment& environment,
                                          const run_options& options) {
  EBB_ASSIGN(auto data, options.data->open_stream(stream.definition, stream.plan));
  if (options.note)
    for (const auto& x : data.notes)
      options.note(stream.definition.name, x);
  const output_applier apply = [keep = environment.keep, &connectors, store = data.store,
                                definition =
                                    &stream.definition](const sink_snapshot& x) -> result<void> {
    EBB_ASSIGN(const auto here, store->bring(x));
    return connectors.apply_output(sink_named(*definition, x.sink), definition->folder,
                                   here.output);
  };
  EBB_TRY(take_back_output(stream.definition, connectors, data, options));
  EBB_TRY(apply_earlier_output(stream.definition, data, apply));
  prepared_stream result;
  if (data.finished) {
    if (options.note)
      options.note(stream.definition.name, finished_before(stream.definition));
    result.finished = true;
    return result;
  }
  EBB_TRY(find_sources(stream.definition, data.start.positions, connectors));
  EBB_ASSIGN(result.setup,
             build_stream(stream.plan, stream.definition, connectors, environment, &data.start));
  if (data.state)
    if (auto restored =
            restore_state(data.start, *data.state, data.small, *environment.io, result.setup);
        !restored) {
      abandon(result.setup);
      return unreadable(std::move(restored).error(), stream.definition.name, data.left_by);
    }
  result.setup.checkpoints = checkpoints_of(stream, data, result.setup, apply, environment);
  result.checkpoints = result.setup.checkpoints->board;
  result.start = std::move(data.start);
  result.segments = std::move(data.segments);
  result.small = data.small;
  return result;
}

result<prepared_stream> prepare(const planned_stream& stream, connector_factory& connectors,
                                const stream_environment& environment, const run_options& options) {
  if (options.data)
    return prepare_with_data(stream, connectors, environment, options);
  prepared_stream result;
  EBB_ASSIGN(result.setup, build_stream(stream.plan, stream.definition, connectors, environment));
  return result;
}

/// A start that would drop something of one stream and is refused, be it for another one, drops
/// nothing.
result<void> look_first(std::span<const planned_stream> streams, connector_factory& connectors,
                        run_data& data) {
  if (std::none_of(streams.begin(), streams.end(),
                   [&](const auto& x) { return data.may_drop(x.definition); }))
    return {};
  std::vector<start_outlook> seen;
  for (const auto& x : streams) {
    EBB_ASSIGN(auto one, data.look(x.definition, x.plan));
    seen.push_back(std::move(one));
  }
  if (std::none_of(seen.begin(), seen.end(), [](const auto& x) { return x.drops; }))
    return {};
  for (std::size_t i = 0; i < streams.size(); ++i)
    EBB_TRY(check_start(streams[i].definition, seen[i], connectors));
  return {};
}

} // namespace

result<std::vector<prepared_stream>> prepare_run(std::span<const planned_stream> streams,
                                                 connector_factory& connectors,
                                                 const stream_environment& environment,
                                                 const run_options& options) {
  // What a stream with data reads depends on where it stands.
  if (!options.data)
    for (const auto& x : streams)
      EBB_TRY(find_sources(x.definition, {}, connectors));
  if (options.data)
    EBB_TRY(look_first(streams, connectors, *options.data));
  std::vector<prepared_stream> result;
  for (const auto& x : streams) {
    auto prepared = prepare(x, connectors, environment, options);
    if (!prepared) {
      for (const auto& built : result)
        abandon(built.setup);
      return std::move(prepared).error();
    }
    result.push_back(std::move(*prepared));
  }
  return result;
}

} // namespace ebb
