/// The ends of a stream as a subtask sees them: readers of sources and writers of sinks.
///
/// Both run inside a subtask and never block: files and stdout are touched by jobs elsewhere, which
/// wake the subtask when they are done.
#pragma once

#include "actors/dataflow/channel_item.hpp"
#include "actors/dataflow/operator.hpp"
#include "schemas/segment_info.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct source_counters {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bad_rows = 0;
};

/// What `source_reader::read` says of what comes next.
struct read_status {
  enum class kind : std::uint8_t {
    more,     ///< call again as soon as there is credit
    waiting,  ///< call again after a wake, or at `until`
    finished, ///< the input has ended
  };
  kind what = kind::more;
  micros until = max_time; ///< waiting: processing time to call again at
  /// waiting: rows are there and on their way (a block of a file being read); the source is behind,
  /// not quiet.
  bool coming = false;
};

/// Where a reader stands in one partition: behind the last row that it has emitted.
struct source_position {
  std::uint32_t partition = 0; ///< number within the source, whatever the parallelism
  bool finished = false;
  std::string bytes; ///< the connector's own form
};

/// Reads one subtask's share of a source. Batches carry origin and partition; they may hold columns
/// in the schema's order only. Not thread-safe; `read` is called by one thread at a time.
class source_reader {
public:
  virtual ~source_reader() = default;
  /// `now`: processing time in microseconds since 1970, never falling.
  [[nodiscard]] virtual result<read_status> read(micros now, step_budget& budget, output& out) = 0;
  [[nodiscard]] virtual source_counters counters() const = 0;
  /// Partitions that this subtask reads (0 = none: it is finished at once).
  [[nodiscard]] virtual std::uint32_t partitions() const = 0;

  /// Appends the positions of this subtask's partitions. Called between reads, where there are
  /// checkpoints. The context of `open_source` brings them back.
  virtual void positions(std::vector<source_position>& out) const {
    static_cast<void>(out);
  }
};

struct sink_counters {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0; ///< sum over rows of row_hash; only `discard` with `hash`
};

/// What a sink wrote for one epoch: kept aside until the epoch's record is durable, then applied.
struct sealed_output {
  std::uint32_t lane = 0; ///< of the sink; each has an output an epoch
  std::string file;       ///< where the bytes wait; empty = there are none
  std::uint64_t bytes = 0;
  digest128 digest;         ///< of the bytes
  std::string target;       ///< the connector's own form: where they go
  std::uint64_t offset = 0; ///< of the bytes in the target, where it has offsets
  std::uint64_t rows = 0;
};

/// Writes the rows of one sink. Not thread-safe.
class sink_writer {
public:
  virtual ~sink_writer() = default;
  /// Takes a batch; the work may go on in the background. Errors found later come from any call.
  [[nodiscard]] virtual result<void> write(const batch_ptr& rows) = 0;
  /// Bytes taken but not yet written; above `sink_backlog_max` the host sends no more until a wake.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  /// Starts what must be done at the end of input (flush, close), also when the stream was
  /// interrupted. Returns true when all is written; else call again after a wake.
  [[nodiscard]] virtual result<bool> finish() = 0;

  /// With checkpoints: the epoch's output ends here. Rows of the next epoch may be written at once.
  /// Writers that keep nothing aside need neither call.
  [[nodiscard]] virtual result<void> seal(epoch_number epoch) {
    static_cast<void>(epoch);
    return {};
  }

  /// The output of the epoch sealed last, once it is durable; nothing = not yet, call again after a
  /// wake. Given out once.
  [[nodiscard]] virtual result<std::optional<sealed_output>> sealed() {
    return std::optional<sealed_output>(sealed_output{});
  }

  /// Called instead of finish when the stream fails: gives up resources, keeps no half-written
  /// output that would look whole.
  virtual void abandon() = 0;
  [[nodiscard]] virtual sink_counters counters() const = 0;
};

inline constexpr std::size_t sink_backlog_max = std::size_t{4} << 20;

} // namespace ebb
