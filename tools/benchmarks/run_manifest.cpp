#include "tools/benchmarks/run_manifest.hpp"

#include "actors/connectors/factory.hpp"
#include "tools/cli/load.hpp"

#include <chrono>
#include <span>

namespace ebb::bench {

micros wall_clock() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::optional<stream_definition> first_stream(const std::string& manifest) {
  std::vector<error> warnings;
  auto streams = parse_manifest(manifest, "bench", warnings);
  if (!streams) {
    cli::print_error(streams.error());
    return std::nullopt;
  }
  return std::move(streams->front());
}

std::optional<run_outcome> run_manifest(const std::string& manifest, connector_factory& connectors,
                                        const run_options& options) {
  const auto stream = first_stream(manifest);
  if (!stream)
    return std::nullopt;
  const auto start = std::chrono::steady_clock::now();
  const auto reports = run_streams(std::span(&*stream, 1), connectors, options);
  if (!reports) {
    cli::print_error(reports.error());
    return std::nullopt;
  }
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start;
  const auto& done = reports->front();
  run_outcome outcome;
  outcome.wall_seconds = wall.count();
  for (const auto& source : done.sources)
    outcome.rows_in += source.rows;
  outcome.rows_out = done.sinks.front().rows;
  outcome.hash = done.sinks.front().hash;
  if (done.checkpoints) {
    outcome.checkpoints = done.checkpoints->completed;
    outcome.longest_checkpoint_millis = static_cast<double>(done.checkpoints->longest) / 1000;
  }
  return outcome;
}

std::optional<run_outcome> run_manifest(const std::string& manifest, const run_options& options) {
  const auto connectors = make_connectors();
  return run_manifest(manifest, *connectors, options);
}

std::optional<run_options> keep_in(const std::string& folder) {
  data_options data;
  data.folder = folder;
  auto opened = open_run_data(data);
  if (!opened) {
    cli::print_error(opened.error());
    return std::nullopt;
  }
  run_options options;
  options.data = *opened;
  return options;
}

std::string with_checkpoints(std::string manifest) {
  const std::string before = "spec:\n";
  manifest.insert(manifest.find(before) + before.size(), "  checkpoint: {interval: 1s}\n");
  return manifest;
}

} // namespace ebb::bench
