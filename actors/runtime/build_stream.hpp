/// From a stage plan to the subtasks of a stream and their channels.
#pragma once

#include "actors/plan/stage_plan.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/runtime/restore_stream.hpp"
#include "actors/runtime/stream_report.hpp"
#include "actors/runtime/supervisor.hpp"

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace ebb {

using operator_maker =
    std::function<std::unique_ptr<stream_operator>(const operator_spec&, operator_context)>;

/// What the subtasks of a stream share.
struct stream_environment {
  operator_maker make;       ///< `make_operator`, but in tests
  io_executor* io = nullptr; ///< outlives the stream
  clock_function clock;
  std::string data_folder;
  std::shared_ptr<const void> keep; ///< what connectors use: lives until the last actor has ended
  slice_limits slice;
  batch_limits batches;
  std::size_t channel_window = credit_ledger::default_window;
  read_amount source_allowance = source_alignment::default_allowance;
  /// As of connector_context, for all streams; may be empty and null.
  std::function<void(const std::string& stream, const std::string& text)> note;
  const std::atomic<bool>* interrupted = nullptr;
  std::uint32_t part = 0; ///< of `parts` (stream_parts.hpp): only its subtasks are built
  std::uint32_t parts = 1;
};

/// Builds operators, opens connectors. After an error nothing is left open. With `start` the
/// subtasks take part in checkpoints; their state is to be restored, and `checkpoints` of the setup
/// filled in, by the caller.
[[nodiscard]] result<supervisor_setup>
build_stream(const stage_plan& plan, const stream_definition& stream, connector_factory& connectors,
             const stream_environment& environment, const stream_start* start = nullptr);

/// What its subtasks have opened gives up; they are not run.
void abandon(const supervisor_setup& setup);

/// What the first instance of the step's operator knows.
[[nodiscard]] operator_context context_of(const stage_plan& plan, const stage& at,
                                          const stage_step& step);

/// Number of the first subtask of each stage; the last entry is their count.
[[nodiscard]] std::vector<std::uint32_t> first_subtasks(const stage_plan& plan);

/// Adds up what the subtasks show. `boards` by subtask number. Names, rows and watermark are filled
/// in; how the stream ended and its time are not.
[[nodiscard]] stream_report report_of(const stage_plan& plan, const stream_definition& stream,
                                      std::span<const std::shared_ptr<stats_board>> boards);

} // namespace ebb
