/// Runs the streams of a manifest in this process until they end.
#pragma once

#include "actors/plan/manifest.hpp"
#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/runtime/run_data.hpp"
#include "actors/runtime/savepoint_desk.hpp"
#include "actors/runtime/stream_report.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ebb {

struct run_options {
  std::uint32_t threads = 0; ///< of the actor system; 0 = one a processor
  /// Called by the calling thread, about every 100 ms while streams run and once at the end.
  std::function<void(const run_progress&)> progress;
  /// Set from anywhere, a signal handler included: the streams drain and end early. Looked at every
  /// 20 ms.
  const std::atomic<bool>* interrupted = nullptr;
  std::string data_folder;        ///< for quarantine files; empty = the manifest's folder
  std::shared_ptr<run_data> data; ///< null = nothing is kept, no checkpoints
  /// What was found in the data folder and decided, before anything runs; and what a sink waits
  /// for. From any thread.
  std::function<void(const std::string& stream, const std::string& text)> note;
  std::shared_ptr<savepoint_desk> savepoints; ///< null = nobody asks
  /// Called once by the calling thread: all is planned and opened, and no row was read yet. May be
  /// empty.
  std::function<void()> ready;
  /// Called by the calling thread when all streams have ended, the first to fail with this error,
  /// and nothing is left but calls of the system that may not come back: a pipe's reader may sleep.
  /// May be empty.
  std::function<void(const error&)> failed;
};

/// A stream and the plan it is run by.
struct planned_stream {
  stream_definition definition;
  stage_plan plan;
};

/// Plans all streams and opens all connectors before the first row is read, so errors of the
/// manifest or a missing file come before anything is written. Returns when all streams have
/// ended; the first that fails interrupts the others, and its error is the result. Blocks.
[[nodiscard]] result<std::vector<stream_report>>
run_streams(std::span<const stream_definition> streams, connector_factory& connectors,
            const run_options& options);

/// The same with plans that are made already.
[[nodiscard]] result<std::vector<stream_report>> run_plans(std::span<const planned_stream> streams,
                                                           connector_factory& connectors,
                                                           const run_options& options);

} // namespace ebb
