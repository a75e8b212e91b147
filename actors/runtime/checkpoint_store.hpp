/// Where a stream's checkpoints are kept. Implemented over LMDB files for `ebb run --data`, in
/// memory for the simulation.
#pragma once

#include "actors/dataflow/snapshot.hpp"
#include "actors/runtime/checkpoint_coordinator.hpp"
#include "schemas/error.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebb {

using snapshot_ptr = std::shared_ptr<const subtask_snapshot>;

/// When a snapshot got so far. Processing time; 0 = not known. Of several subtasks the latest.
struct snapshot_moments {
  micros aligned = 0; ///< its barriers were there
  micros made = 0;    ///< it was there as a whole

  void later(const snapshot_moments& x) noexcept {
    aligned = std::max(aligned, x.aligned);
    made = std::max(made, x.made);
  }
};

/// What one process has made durable of an epoch.
struct written_part {
  std::optional<segment_info> segment; ///< nothing where no state has changed
  std::vector<source_snapshot> sources;
  std::vector<sink_snapshot> sinks;
  micros watermark = max_time; ///< the lowest that has arrived at a sink
  snapshot_moments when = {};
};

/// All that a record says.
struct epoch_record {
  epoch_number epoch = 0;
  checkpoint_reason reason = checkpoint_reason::interval;
  checkpoint_timing timing; ///< as far as it is known when the record is written
  std::vector<written_part> parts;
  std::vector<std::string> savepoints; ///< names under which it is kept
  bool finished = false;               ///< the stream's input has ended and all of it is in
};

/// All functions block and are called by one I/O lane at a time, `maintain` by another one. After
/// ec::resource they may be called again with the same arguments; after another error of `commit`
/// or `applied` the store is not used any more, but that a record with savepoints is tried once
/// more without them.
class checkpoint_store {
public:
  virtual ~checkpoint_store() = default;
  /// The first of `count` epochs that were never given out.
  [[nodiscard]] virtual result<epoch_number> reserve(std::uint32_t count) = 0;
  /// Writes the state of all snapshots as one segment, durably. After an error nothing is left of
  /// it, and it may be called again.
  [[nodiscard]] virtual result<std::optional<segment_info>>
  write_delta(epoch_number epoch, std::span<const snapshot_ptr> snapshots) = 0;

  /// Which of the record's savepoints, by place in its list, have a name that is taken: `commit`
  /// would refuse the record for them.
  [[nodiscard]] virtual result<std::vector<std::size_t>> taken(const epoch_record&) {
    return std::vector<std::size_t>{};
  }

  /// The commit point. Refused when the stream has a newer generation.
  [[nodiscard]] virtual result<void> commit(const epoch_record& record) = 0;

  /// A committed output with its waiting file where this process can read it, unless the file is
  /// gone: then it has been applied, or is lost, which its target tells.
  [[nodiscard]] virtual result<sink_snapshot> bring(sink_snapshot x) {
    return x;
  }

  /// Outputs of a lane up to `epoch` have reached their target; `offset` is the target's end.
  [[nodiscard]] virtual result<void> applied(const std::string& sink, std::uint32_t lane,
                                             epoch_number epoch, std::uint64_t offset) = 0;

  /// The same for one output; one without bytes has changed nothing.
  [[nodiscard]] result<void> applied(const sink_snapshot& x) {
    if (x.output.bytes == 0)
      return {};
    return applied(x.sink, x.output.lane, x.epoch, x.output.offset + x.output.bytes);
  }

  /// Merges segments and removes files that nothing needs; a bounded piece of work. True when there
  /// is more.
  [[nodiscard]] virtual result<bool> maintain() = 0;

  /// The stream ends: maintenance under way is given up soon. Does not block; by any thread.
  virtual void stop_maintenance() noexcept {}
};

/// Brings one committed output to its target; blocks.
using output_applier = std::function<result<void>(const sink_snapshot&)>;

} // namespace ebb
