#include "actors/runtime/start_check.hpp"

#include "actors/runtime/recorded_values.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace ebb {

namespace {

const sink_token* token_of(const std::vector<sink_token>& tokens, const recorded_output& x) {
  const auto found = std::find_if(tokens.begin(), tokens.end(), [&](const auto& y) {
    return y.sink == x.sink && y.lane == x.lane;
  });
  return found == tokens.end() ? nullptr : &*found;
}

/// Of each lane the last that has reached its target, and the first that has not: those behind it
/// come later.
void expect(std::vector<expected_output>& all, expected_output x) {
  const auto same = std::find_if(all.begin(), all.end(), [&](const auto& y) {
    return y.output.lane == x.output.lane && y.applied == x.applied;
  });
  if (same == all.end())
    all.push_back(std::move(x));
  else if (x.applied)
    *same = std::move(x);
}

result<void> can_rewind(const stream_definition& definition) {
  for (const auto& sink : definition.sinks) {
    if (const auto* topic = std::get_if<topic_sink>(&sink.connector))
      return make_error(ec::unsupported,
                        "sink " + sink.name + " writes topic " + topic->name
                            + ", whose rows are not taken back: others may have read them",
                        "use --sinks keep, and rows since the savepoint come again; or let the "
                        "sink write another topic first, which gets each of them once");
  }
  return {};
}

} // namespace

bool is_passed(const checkpoint_record& record, const std::vector<sink_token>& tokens) {
  return std::any_of(tokens.begin(), tokens.end(),
                     [&](const auto& x) { return x.epoch > record.epoch; });
}

result<void> may_pass(const savepoint_entry& savepoint, const std::vector<sink_token>& tokens,
                      const stream_definition& definition, past_output output) {
  if (!is_passed(savepoint.record, tokens) || output == past_output::keep)
    return {};
  if (output == past_output::rewind)
    return can_rewind(definition);
  return make_error(ec::conflict,
                    "sinks have written output of epochs after savepoint " + savepoint.name,
                    "--sinks rewind cuts the targets back to where they were, --sinks keep "
                    "leaves what they have and writes the rows since then again");
}

start_outlook outlook_of(const std::string& data_folder, const checkpoint_record& record,
                         const std::vector<sink_token>& tokens, past_output output) {
  start_outlook seen;
  seen.data_folder = data_folder;
  seen.uid = record.uid;
  seen.finished = record.finished;
  for (const auto& x : record.positions)
    seen.positions[x.source].push_back(to_position(x));
  for (const auto& x : record.outputs) {
    expected_output one;
    one.output = to_output(x);
    const auto* token = token_of(tokens, x);
    one.applied = x.bytes == 0 || (token != nullptr && token->epoch >= x.epoch);
    one.end = x.offset + (one.applied ? x.bytes : 0);
    if (output == past_output::keep && token != nullptr && token->epoch > record.epoch)
      one.end = std::max(one.end, token->offset);
    expect(seen.sinks[x.sink].outputs, std::move(one));
  }
  return seen;
}

result<void> find_sources(const stream_definition& stream, const positions_by_source& known,
                          connector_factory& connectors) {
  for (const auto& source : stream.sources) {
    const auto at = known.find(source.name);
    EBB_TRY(at == known.end()
                ? connectors.partitions(source, stream.folder)
                : connectors.partitions_after(source, stream.folder, at->second));
  }
  return {};
}

result<void> check_start(const stream_definition& stream, const start_outlook& outlook,
                         connector_factory& connectors) {
  if (!outlook.finished)
    EBB_TRY(find_sources(stream, outlook.positions, connectors));
  for (const auto& sink : stream.sinks) {
    const auto found = outlook.sinks.find(sink.name);
    auto start = found == outlook.sinks.end() ? sink_prospect{} : found->second;
    start.stream_uid = outlook.uid;
    start.data_folder = outlook.data_folder;
    start.exactly_once = stream.exactly_once;
    auto good = connectors.check_sink(sink, stream.folder, start);
    if (good)
      continue;
    auto problem = std::move(good).error();
    problem.message = "sink " + sink.name + ": " + problem.message;
    return problem;
  }
  return {};
}

} // namespace ebb
