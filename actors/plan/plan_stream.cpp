#include "actors/plan/changelog.hpp"
#include "actors/plan/retention.hpp"
#include "actors/plan/settle.hpp"

#include <algorithm>
#include <map>

namespace ebb {

namespace {

std::uint32_t column_of(const source_definition& source, const std::string& name) {
  const auto found = std::find_if(source.columns.begin(), source.columns.end(),
                                  [&](const auto& c) { return c.name == name; });
  EBB_ASSERT(found != source.columns.end()); // the manifest's reader has checked it
  return static_cast<std::uint32_t>(found - source.columns.begin());
}

// An upsert has a row of each key that is not deleted.
void warn_of_kept_rows(const source_definition& source, plan_graph& graph) {
  std::string key;
  for (const auto& name : source.primary_key)
    key += (key.empty() ? "" : ", ") + name;
  auto warning = make_error(
      ec::resource,
      "source " + source.name + " keeps the last row of each distinct (" + key + ") for ever",
      reads_changes(source)
          ? "its state grows with them; a row that is deleted (op d) is let go"
          : "its state grows with them; only changes (format: debezium) delete rows");
  warning.place = source.place;
  graph.warnings.push_back(std::move(warning));
}

node_id plan_source(const source_definition& source, std::uint32_t index, plan_graph& graph) {
  plan_node node;
  node.name = source.name;
  node.label = "source";
  node.what = source_node{index};
  node.updating = reads_changes(source);
  node.why =
      node.updating ? "updating: its records are changes" : "append-only: a source only adds rows";
  for (const auto& column : source.columns) {
    plan_column copy;
    copy.name = column.name;
    copy.type = column.type;
    copy.not_null = column.not_null;
    node.columns.push_back(std::move(copy));
  }
  std::vector<std::uint32_t> key;
  for (const auto& name : source.primary_key)
    key.push_back(column_of(source, name));
  const auto* file = std::get_if<file_source>(&source.connector);
  node.is_static = file != nullptr && !file->follow && !source.time;
  const bool replaces = !key.empty() && (source.replaces || node.updating);
  if (!key.empty() && !replaces)
    node.keys = {{key}};
  auto last = graph.add(node);
  if (source.time) {
    assign_watermarks_spec spec;
    spec.time_column = column_of(source, source.time->column);
    spec.max_delay = source.time->max_delay;
    auto marks = node;
    marks.label = "watermarks";
    marks.what = operator_spec{spec};
    marks.inputs = {last};
    // Rows that may be deleted later tell no time: a window that has fired would be wrong.
    if (!node.updating && !replaces)
      marks.columns[spec.time_column].role = column_role::event_time;
    last = graph.add(std::move(marks));
  }
  if (!replaces)
    return last;
  warn_of_kept_rows(source, graph);
  auto latest = node;
  latest.label = "upsert";
  latest.what = operator_spec{upsert_spec{key}};
  latest.inputs = {last};
  latest.updating = true;
  latest.keys = {{key}};
  latest.why = "updating: a row takes the place of the one with its primary key";
  return graph.add(std::move(latest));
}

// What would make the rows of this operator append-only.
std::string way_to_append(const plan_node& node) {
  const auto* spec = std::get_if<operator_spec>(&node.what);
  if (spec == nullptr || std::holds_alternative<upsert_spec>(*spec))
    return "read sources that only add rows";
  if (std::holds_alternative<changelog_join_spec>(*spec))
    return "join on window_start and window_end of equal windows, or within an interval of event "
           "time";
  if (std::holds_alternative<changelog_top_n_spec>(*spec))
    return "rank within a window: PARTITION BY window_end";
  if (std::holds_alternative<changelog_over_spec>(*spec))
    return "order by event time, ascending, over frames that end at the current row";
  return "group by window_start and window_end of a window: FROM tumble(relation, event_time, "
         "INTERVAL '…')";
}

bool takes_changes(const sink_definition& sink) {
  if (const auto* file = std::get_if<file_sink>(&sink.connector))
    return file->format == record_format::debezium;
  if (const auto* topic = std::get_if<topic_sink>(&sink.connector))
    return topic->format == record_format::debezium;
  return true;
}

// The sink's rows are changes, and it can only add rows.
error refuse_changes(const plan_graph& graph, node_id from, const sink_definition& sink) {
  const auto& origin = graph.nodes[updating_origin(graph, from)];
  constexpr std::string_view mark = "updating: ";
  auto why = std::string_view{origin.why};
  if (why.starts_with(mark))
    why.remove_prefix(mark.size());
  auto problem = make_error(
      ec::invalid_argument,
      "sink " + sink.name + " only adds rows, but the result of " + graph.nodes[from].name
          + " updates" + (origin.name == graph.nodes[from].name ? "" : " because of " + origin.name)
          + ": " + std::string(why),
      std::string(std::holds_alternative<topic_sink>(sink.connector)
                      ? "write the changes to a topic of changes (format: debezium, here and in "
                        "the topic's manifest), or to stdout"
                      : "write the changes: format: debezium, or stdout")
          + "; or make the result append-only: " + way_to_append(origin));
  problem.place = sink.place;
  return problem;
}

// Explains a query that reads an operator which is not there yet: itself or a later one.
error name_cycle(error problem, const stream_definition& stream, std::size_t at) {
  for (std::size_t k = at; k < stream.operators.size(); ++k) {
    const auto& other = stream.operators[k].name;
    if (problem.message != "relation \"" + other + "\" does not exist")
      continue;
    const auto& reader = stream.operators[at].name;
    problem.message =
        k == at ? "operator " + reader + " reads itself"
                : "operator " + reader + " reads operator " + other + ", which comes later";
    problem.hint = "an operator may read sources and operators above it; a stream has no cycles"
                   + std::string(k == at ? ""
                                         : ", so move " + other + " up, unless it reads "
                                               + reader + " in turn: what both need then belongs "
                                               + "into an operator above both");
  }
  return problem;
}

} // namespace

result<plan_graph> plan_stream(const stream_definition& stream) {
  plan_graph graph;
  plan_scope scope;
  for (std::uint32_t i = 0; i < stream.sources.size(); ++i)
    scope[stream.sources[i].name] = plan_source(stream.sources[i], i, graph);
  for (std::size_t i = 0; i < stream.operators.size(); ++i) {
    const auto& definition = stream.operators[i];
    const auto first_node = static_cast<node_id>(graph.nodes.size());
    auto planned = plan_query(definition, scope, graph);
    if (!planned)
      return name_cycle(std::move(planned).error(), stream, i);
    apply_retention(definition, first_node, graph);
    scope[definition.name] = *planned;
  }
  std::map<node_id, node_id> settled; // results, and what sinks read of them
  for (std::uint32_t i = 0; i < stream.sinks.size(); ++i) {
    const auto& sink = stream.sinks[i];
    const auto from = scope.find(sink.from);
    if (from == scope.end()) {
      std::vector<std::string> names;
      for (const auto& [name, node] : scope)
        names.push_back(name);
      const auto nearest = nearest_name(sink.from, names);
      auto problem = make_error(ec::invalid_argument,
                                "sink " + sink.name + " reads \"" + sink.from
                                    + "\", which is no source or operator of this stream",
                                nearest.empty() ? std::string{} : "did you mean " + nearest + "?");
      problem.place = sink.place;
      return problem;
    }
    plan_node node;
    node.name = sink.name;
    node.label = "sink";
    const auto& rows = graph.nodes[from->second];
    if (rows.updating && !takes_changes(sink))
      return refuse_changes(graph, from->second, sink);
    const bool updating = rows.updating;
    auto input = from->second;
    if (updating && !std::holds_alternative<discard_sink>(sink.connector)) {
      const auto [known, fresh] = settled.try_emplace(input, input);
      if (fresh)
        known->second = settle(graph, input);
      input = known->second;
    }
    node.what = sink_node{i, updating, ordered_key(graph.nodes[input].keys)};
    node.inputs = {input};
    graph.add(std::move(node));
  }
  return graph;
}

} // namespace ebb
