#include "actors/plan/stage_plan.hpp"
#include "tools/cli/commands.hpp"
#include "tools/cli/load.hpp"
#include "tools/cli/stats.hpp"

#include <cstdio>

namespace ebb::cli {

namespace {

result<stage_plan> plan_of(const stream_definition& stream, plan_graph& graph) {
  EBB_ASSIGN(graph, plan_stream(stream));
  for (const auto& warning : graph.warnings)
    print_warning(warning);
  return make_stages(graph, stream);
}

} // namespace

int validate_command(const std::vector<std::string>& files) {
  const auto documents = load_documents(files);
  if (!documents) {
    print_error(documents.error());
    return exit_invalid;
  }
  bool good = true;
  for (const auto& topic : documents->topics)
    std::printf("topic %s is valid: %s, %s\n", topic.name.c_str(),
                counted(topic.columns.size(), "column").c_str(),
                counted(topic.partitions, "partition").c_str());
  for (const auto& stream : documents->streams) {
    plan_graph graph;
    if (const auto plan = plan_of(stream, graph); !plan) {
      print_error(plan.error());
      good = false;
      continue;
    }
    std::printf("stream %s is valid: %s, %s, %s\n", stream.name.c_str(),
                counted(stream.sources.size(), "source").c_str(),
                counted(stream.operators.size(), "operator").c_str(),
                counted(stream.sinks.size(), "sink").c_str());
  }
  return good ? exit_done : exit_invalid;
}

int explain_command_run(const explain_arguments& arguments) {
  auto documents = load_documents({arguments.file});
  if (!documents) {
    print_error(documents.error());
    return exit_invalid;
  }
  for (auto& stream : documents->streams) {
    if (arguments.parallelism != 0)
      stream.parallelism = arguments.parallelism;
    plan_graph graph;
    const auto plan = plan_of(stream, graph);
    if (!plan) {
      print_error(plan.error());
      return exit_invalid;
    }
    const auto text = arguments.format == "json"  ? explain_json(graph, *plan, stream)
                      : arguments.format == "dot" ? explain_dot(graph, *plan, stream)
                                                  : explain_text(graph, *plan, stream);
    std::fputs(text.c_str(), stdout);
  }
  return exit_done;
}

} // namespace ebb::cli
