/// What connects a stream to the outside: readers of sources and writers of sinks.
///
/// Readers and writers run inside a subtask's actor and never block: files and stdout are touched
/// by jobs on the I/O pool, which wake the actor when they are done.
#pragma once

#include "actors/dataflow/endpoint.hpp"
#include "actors/plan/manifest.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
  std::string data_folder; ///< for quarantine files; empty = the manifest's folder
  /// With checkpoints: where outputs wait for their commit; empty = none, and sinks write at once.
  std::string output_folder;
  std::string stream_uid;       ///< with checkpoints; part of the names of output parts
  std::uint64_t generation = 0; ///< with checkpoints
  /// Number of partitions that the source had when the stream began (synthetic sources); 0 = free.
  std::uint32_t partitions = 0;
  /// Where the source's partitions stood, all of them; a reader takes its own.
  std::vector<source_position> positions;
  /// The last output of each of the sink's lanes that a record lists.
  std::vector<sealed_output> outputs;
  /// A sink's rows are changes; and the columns that tell its rows apart, if some do.
  bool updating = false;
  std::optional<std::vector<std::uint32_t>> unique_key;
  /// Tells a person what the connector waits for, and that it goes on. Any thread; may be empty.
  std::function<void(const std::string&)> note;
  /// Set when the stream is to end early: opening does not wait on. Null: opening never waits.
  const std::atomic<bool>* interrupted = nullptr;
};

/// A stream has gone back to a checkpoint, and one of its sinks may have written more.
struct sink_rewind {
  std::string stream_uid;
  epoch_number epoch = 0;             ///< of the record
  std::vector<sealed_output> outputs; ///< the last of each lane that it lists
  /// Lanes, and the epochs up to which what they have written later is to stay.
  std::vector<std::pair<std::uint32_t, epoch_number>> kept;
  bool asked = false; ///< a person wants what was written later to be gone
};

/// The last output of one lane of a sink, as a start expects to find it.
struct expected_output {
  sealed_output output; ///< as the record lists it
  bool applied = true;  ///< it has reached its target: all of its bytes are there
  /// How far the target reaches at least, where it has offsets.
  std::uint64_t end = 0;
};

/// What a start will go on from in a sink.
struct sink_prospect {
  std::string stream_uid;  ///< empty: the stream gets one that is new
  std::string data_folder; ///< of the stream
  bool exactly_once = true;
  std::vector<expected_output> outputs; ///< of the lanes that have written
};

/// Makes readers and writers; implemented by actors/connectors, handed in by main.
class connector_factory {
public:
  virtual ~connector_factory() = default;
  /// How many partitions the source has now (files, or stride positions of a generator); decides
  /// how many subtasks read it. Checks that it exists.
  [[nodiscard]] virtual result<std::uint32_t> partitions(const source_definition& source,
                                                         const std::string& folder) = 0;

  /// The same for a stream that goes on from `known`, the positions of all its partitions. Those
  /// keep their numbers, new ones get the next.
  [[nodiscard]] virtual result<std::uint32_t>
  partitions_after(const source_definition& source, const std::string& folder,
                   const std::vector<source_position>& known) {
    static_cast<void>(known);
    return partitions(source, folder);
  }

  [[nodiscard]] virtual result<std::unique_ptr<source_reader>>
  open_source(const source_definition& source, connector_context context) = 0;
  [[nodiscard]] virtual result<std::unique_ptr<sink_writer>>
  open_sink(const sink_definition& sink, const schema& columns, connector_context context) = 0;

  /// Whether the sink can be opened there and go on: for a start that would drop something. Changes
  /// nothing, and claims nothing. Blocks.
  [[nodiscard]] virtual result<void> check_sink(const sink_definition& sink,
                                                const std::string& folder,
                                                const sink_prospect& start) {
    static_cast<void>(sink);
    static_cast<void>(folder);
    static_cast<void>(start);
    return {};
  }

  /// Brings a committed output to its target; doing it again changes nothing. Blocks. Outputs of a
  /// lane come in the order of their epochs.
  [[nodiscard]] virtual result<void> apply_output(const sink_definition& sink,
                                                  const std::string& folder,
                                                  const sealed_output& output) {
    static_cast<void>(sink);
    static_cast<void>(folder);
    static_cast<void>(output);
    return {};
  }

  /// Takes back what the sink has written after the record, as far as it can be told from other
  /// things; doing it again changes nothing. How many targets have changed. Blocks.
  [[nodiscard]] virtual result<std::uint64_t>
  take_back(const sink_definition& sink, const std::string& folder, const sink_rewind& to) {
    static_cast<void>(sink);
    static_cast<void>(folder);
    static_cast<void>(to);
    return std::uint64_t{0};
  }
};

} // namespace ebb
