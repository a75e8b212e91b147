/// Runs a manifest in this process, for measurements.
#pragma once

#include "actors/runtime/run_stream.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ebb::bench {

/// Microseconds since 1970: what sources by a pace go by.
[[nodiscard]] micros wall_clock();

/// Plain data, so that a child can hand it to its parent.
struct run_outcome {
  double wall_seconds = 0;
  std::uint64_t rows_in = 0;  ///< of all sources
  std::uint64_t rows_out = 0; ///< of the first sink
  std::uint64_t hash = 0;     ///< of the first sink
  std::uint64_t checkpoints = 0;
  double longest_checkpoint_millis = 0; ///< from the request to the commit
};

/// The first stream of the manifest. Errors are printed; then there is no outcome.
[[nodiscard]] std::optional<run_outcome> run_manifest(const std::string& manifest,
                                                      connector_factory& connectors,
                                                      const run_options& options = {});
/// With the connectors that ebb has.
[[nodiscard]] std::optional<run_outcome> run_manifest(const std::string& manifest,
                                                      const run_options& options = {});

/// Options of a run that keeps its state in a folder; errors are printed.
[[nodiscard]] std::optional<run_options> keep_in(const std::string& folder);

/// The manifest with a checkpoint a second.
[[nodiscard]] std::string with_checkpoints(std::string manifest);

/// The first stream of a manifest; errors are printed.
[[nodiscard]] std::optional<stream_definition> first_stream(const std::string& manifest);

} // namespace ebb::bench
