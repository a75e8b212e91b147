#include "tools/benchmarks/verify.hpp"

#include "actors/plan/plan_graph.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

namespace ebb::bench {

namespace {

// Column definitions of what the first sink gets.
std::optional<std::string> result_schema(const std::string& manifest) {
  const auto stream = first_stream(manifest);
  if (!stream)
    return std::nullopt;
  const auto graph = plan_stream(*stream);
  if (!graph) {
    cli::print_error(graph.error());
    return std::nullopt;
  }
  std::string text;
  for (const auto& node : graph->nodes) {
    if (!std::holds_alternative<sink_node>(node.what))
      continue;
    for (const auto& column : graph->nodes[node.inputs.front()].columns)
      text +=
          fmt::format("{}\"{}\" {}", text.empty() ? "" : ", ", column.name, to_string(column.type));
    break;
  }
  return text;
}

} // namespace

std::optional<verification> verify_by_file(nexmark_run run) {
  const scratch_folder folder;
  if (folder.path().empty())
    return std::nullopt;
  const auto path = folder.path() + "/result.csv";
  run.sinks = {"discard: {hash: true}", fmt::format("file: {{path: '{}', format: csv}}", path)};
  const auto manifest = nexmark_manifest(run);
  const auto schema = result_schema(manifest);
  if (!schema)
    return std::nullopt;
  const auto wrote = run_manifest(manifest);
  if (!wrote)
    return std::nullopt;
  const auto read = run_manifest(
      fmt::format("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {{name: verify}}\nspec:\n"
                  "  sources:\n    - name: result\n      schema: '{}'\n"
                  "      file: {{path: '{}', format: csv}}\n"
                  "  sinks:\n    - discard: {{hash: true}}\n",
                  *schema, path));
  if (!read)
    return std::nullopt;
  return verification{wrote->rows_out, wrote->hash, read->hash};
}

} // namespace ebb::bench
