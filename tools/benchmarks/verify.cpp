#include "tools/benchmarks/verify.hpp"

#include "actors/plan/plan_graph.hpp"
#include "tools/benchmarks/run_manifest.hpp"
#include "tools/benchmarks/scratch_folder.hpp"
#include "tools/cli/load.hpp"

#include <fmt/format.h>

namespace ebb::bench {

namespace {

struct result_form {
  std::string columns; ///< their definitions
  bool updating = false;
};

// Of what the first sink gets.
std::optional<result_form> form_of_result(const std::string& manifest) {
  const auto stream = first_stream(manifest);
  if (!stream)
    return std::nullopt;
  const auto graph = plan_stream(*stream);
  if (!graph) {
    cli::print_error(graph.error());
    return std::nullopt;
  }
  result_form form;
  auto& text = form.columns;
  for (const auto& node : graph->nodes) {
    const auto* sink = std::get_if<sink_node>(&node.what);
    if (sink == nullptr)
      continue;
    form.updating = sink->updating;
    for (const auto& column : graph->nodes[node.inputs.front()].columns)
      text +=
          fmt::format("{}\"{}\" {}", text.empty() ? "" : ", ", column.name, to_string(column.type));
    break;
  }
  return form;
}

} // namespace

std::optional<verification> verify_by_file(nexmark_run run) {
  const scratch_folder folder;
  if (folder.path().empty())
    return std::nullopt;
  const auto path = folder.path() + "/result";
  run.sinks = {"discard: {hash: true}"};
  const auto form = form_of_result(nexmark_manifest(run));
  if (!form)
    return std::nullopt;
  const auto file = fmt::format("file: {{path: '{}', format: {}}}", path,
                                form->updating ? "debezium" : "csv");
  run.sinks.push_back(file);
  const auto manifest = nexmark_manifest(run);
  const auto wrote = run_manifest(manifest);
  if (!wrote)
    return std::nullopt;
  const auto read = run_manifest(
      fmt::format("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {{name: verify}}\nspec:\n"
                  "  sources:\n    - name: result\n      schema: '{}'\n"
                  "      {}\n  sinks:\n    - discard: {{hash: true}}\n",
                  form->columns, file));
  if (!read)
    return std::nullopt;
  return verification{wrote->rows_out, wrote->hash, read->hash, form->updating};
}

} // namespace ebb::bench
