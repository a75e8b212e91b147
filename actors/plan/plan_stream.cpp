#include "actors/plan/plan_graph.hpp"

#include <algorithm>

namespace ebb {

namespace {

node_id plan_source(const source_definition& source, std::uint32_t index, plan_graph& graph) {
  plan_node node;
  node.name = source.name;
  node.label = "source";
  node.what = source_node{index};
  node.why = "append-only: a source only adds rows";
  for (const auto& column : source.columns) {
    plan_column copy;
    copy.name = column.name;
    copy.type = column.type;
    copy.not_null = column.not_null;
    node.columns.push_back(std::move(copy));
  }
  const auto read = graph.add(node);
  if (!source.time)
    return read;
  const auto found = std::find_if(source.columns.begin(), source.columns.end(),
                                  [&](const auto& c) { return c.name == source.time->column; });
  EBB_ASSERT(found != source.columns.end()); // the manifest's reader has checked it
  assign_watermarks_spec spec;
  spec.time_column = static_cast<std::uint32_t>(found - source.columns.begin());
  spec.max_delay = source.time->max_delay;
  plan_node marks;
  marks.name = source.name;
  marks.label = "watermarks";
  marks.what = operator_spec{spec};
  marks.inputs = {read};
  marks.columns = node.columns;
  marks.columns[spec.time_column].role = column_role::event_time;
  marks.why = node.why;
  return graph.add(std::move(marks));
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
                   + std::string(k == at ? "" : ", so move " + other + " up");
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
    auto planned = plan_query(definition, scope, graph);
    if (!planned)
      return name_cycle(std::move(planned).error(), stream, i);
    scope[definition.name] = *planned;
  }
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
    node.what = sink_node{i};
    node.inputs = {from->second};
    graph.add(std::move(node));
  }
  return graph;
}

} // namespace ebb
