/// Everything of a run that can fail before the first row: connectors, kept state, earlier output.
#pragma once

#include "actors/runtime/build_stream.hpp"
#include "actors/runtime/run_stream.hpp"
#include "actors/runtime/segment_state.hpp"

#include <memory>
#include <span>
#include <vector>

namespace ebb {

struct prepared_stream {
  supervisor_setup setup;
  bool finished = false; ///< an earlier run has seen the end of its input: `setup` is empty
  std::shared_ptr<checkpoint_board> checkpoints; ///< null without data
  // With data: what it begins with.
  stream_start start;
  recorded_segments segments;
  std::uint64_t small = 0; ///< for restore_state
};

/// Prepares all streams, or none: after an error those that were built give up. With data, output
/// that was committed but may not have reached its target is applied. Blocks.
[[nodiscard]] result<std::vector<prepared_stream>>
prepare_run(std::span<const planned_stream> streams, connector_factory& connectors,
            const stream_environment& environment, const run_options& options);

} // namespace ebb
