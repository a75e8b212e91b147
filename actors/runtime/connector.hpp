/// What connects a stream to the outside: readers of sources and writers of sinks.
///
/// Readers and writers run inside a subtask's actor and never block: files and stdout are touched
/// by jobs on the I/O pool, which wake the actor when they are done.
#pragma once

#include "actors/dataflow/operator.hpp"
#include "actors/plan/manifest.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

/// Runs blocking work. Jobs of one `lane` run in order, one at a time; lanes run in parallel.
/// Implementations: the process's thread pool, and an inline one for tests.
class io_executor {
public:
  virtual ~io_executor() = default;
  /// A new lane number.
  virtual std::uint64_t open_lane() = 0;
  /// Queues `job`. Thread-safe. The caller bounds what it has in flight.
  virtual void submit(std::uint64_t lane, std::function<void()> job) = 0;
};

/// Makes the owning actor run again. Thread-safe; may be called after the actor has ended.
using wake_function = std::function<void()>;

/// What a reader or writer gets from its host.
struct connector_context {
  io_executor* io = nullptr; ///< outlives the connector
  wake_function wake;
  std::uint32_t subtask = 0;
  std::uint32_t parallelism = 1;
  std::string stream;
  std::string folder;      ///< relative paths start here
  std::string data_folder; ///< for quarantine files; empty = current folder
};

struct source_counters {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t bad_rows = 0;
};

/// What `source_reader::read` says of what comes next.
struct read_status {
  enum class kind : std::uint8_t {
    more,     ///< call again as soon as there is credit
    waiting,  ///< call again after `wake`, or at `until`
    finished, ///< the input has ended
  };
  kind what = kind::more;
  micros until = max_time; ///< waiting: processing time to call again at
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
};

struct sink_counters {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::uint64_t hash = 0; ///< sum over rows of row_hash; only `discard` with `hash`
};

/// Writes the rows of one sink. Not thread-safe.
class sink_writer {
public:
  virtual ~sink_writer() = default;
  /// Takes a batch; the work may go on in the background. Errors found later come from any call.
  [[nodiscard]] virtual result<void> write(const batch_ptr& rows) = 0;
  /// Bytes taken but not yet written; above `sink_backlog_max` the host sends no more until `wake`.
  [[nodiscard]] virtual std::size_t backlog() const = 0;
  /// Starts what must be done at the end of input (flush, close). Returns true when all is written;
  /// else call again after `wake`.
  [[nodiscard]] virtual result<bool> finish() = 0;
  /// Called instead of finish when the stream fails or is interrupted: gives up resources, keeps no
  /// half-written output that would look whole.
  virtual void abandon() = 0;
  [[nodiscard]] virtual sink_counters counters() const = 0;
};

inline constexpr std::size_t sink_backlog_max = std::size_t{4} << 20;

/// Makes readers and writers; implemented by actors/connectors, handed in by main.
class connector_factory {
public:
  virtual ~connector_factory() = default;
  /// How many partitions the source has now (files, or stride positions of a generator); decides
  /// how many subtasks read it. Checks that it exists.
  [[nodiscard]] virtual result<std::uint32_t> partitions(const source_definition& source,
                                                         const std::string& folder) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<source_reader>>
  open_source(const source_definition& source, connector_context context) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<sink_writer>>
  open_sink(const sink_definition& sink, const schema& columns, connector_context context) = 0;
};

} // namespace ebb
