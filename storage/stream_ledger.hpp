/// What the control database says of streams and their checkpoints, as the process that runs a
/// stream uses it: the database itself, or the control process at the far end of a link.
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Writes a record.
struct commit_request {
  checkpoint_record record;
  std::uint64_t generation = 0;        ///< of the writer
  std::vector<std::string> savepoints; ///< also kept under these names
  std::size_t retained = 3;            ///< newest records that stay, this one included; 1 at least
};

/// Functions block; one thread at a time. Each that writes is one transaction that is durable when
/// it returns. After ec::io or ec::resource from one of them the outcome is unknown: open the
/// ledger again and read what it says.
class stream_ledger {
public:
  virtual ~stream_ledger() = default;

  // Streams.

  /// The stream that has this name, or `wanted` (with a new uid) as a new one.
  [[nodiscard]] virtual result<stream_entry> open_or_create(const stream_entry& wanted) = 0;

  [[nodiscard]] virtual result<std::optional<stream_entry>> find_stream(std::string_view name) = 0;

  /// Replaces manifest, plan, its fingerprint, operators, parallelism and life; the rest stays.
  [[nodiscard]] virtual result<void> update_stream(const stream_entry& changed,
                                                   std::uint64_t generation) = 0;

  /// Ends the stream of this name: its records, savepoints and tokens go, its entry stays with life
  /// `deleted`, so that its files can be found. A new stream of the name has nothing of it.
  [[nodiscard]] virtual result<void> delete_stream(std::string_view name) = 0;

  /// Removes the entry of a deleted stream, once its files are gone.
  [[nodiscard]] virtual result<void> forget_stream(std::string_view uid) = 0;

  // Fencing.

  /// The next generation; writes of lower ones are refused from now on (ec::conflict).
  [[nodiscard]] virtual result<std::uint64_t> begin_generation(std::string_view uid) = 0;

  /// The first of `count` epochs, which are never given out again.
  [[nodiscard]] virtual result<std::uint64_t>
  reserve_epochs(std::string_view uid, std::uint64_t generation, std::uint64_t count) = 0;

  // Checkpoints.

  /// The commit point of a checkpoint. ec::conflict: the generation is not the stream's, or the
  /// epoch is not greater than that of the last record; ec::internal: it was never reserved.
  /// Records beyond the newest `retained` go. A record that is `finished` ends the stream's life.
  [[nodiscard]] virtual result<void> commit(const commit_request& request) = 0;

  /// Newest first.
  [[nodiscard]] virtual result<std::vector<checkpoint_record>> records(std::string_view uid) = 0;

  [[nodiscard]] virtual result<std::optional<checkpoint_record>>
  newest_record(std::string_view uid) = 0;

  /// Makes `record` (of a savepoint, or an older one) the newest: later ones go. The stream is
  /// active again, and its tokens are `tokens`. A savepoint that lists output of epochs after the
  /// record's and all tokens' is of a history that is given up from now on.
  [[nodiscard]] virtual result<void> rewind(const checkpoint_record& record,
                                            std::uint64_t generation,
                                            std::span<const sink_token> tokens) = 0;

  // Savepoints.

  [[nodiscard]] virtual result<std::vector<savepoint_entry>> savepoints(std::string_view uid) = 0;

  /// One to go back to. ec::conflict where its history was given up: sinks do not have its output.
  [[nodiscard]] virtual result<std::optional<savepoint_entry>> savepoint(std::string_view uid,
                                                                         std::string_view name) = 0;

  // Sinks.

  /// ec::conflict for a lower generation, for an epoch below the lane's, or for another offset at
  /// the same epoch.
  [[nodiscard]] virtual result<void> set_tokens(std::string_view uid, std::uint64_t generation,
                                                std::span<const sink_token> tokens) = 0;

  [[nodiscard]] virtual result<std::vector<sink_token>> tokens(std::string_view uid) = 0;

  // Files.

  /// Those of `present` that none lists. Files of an epoch under way, or of a merge, are among
  /// them: the caller leaves those alone.
  [[nodiscard]] virtual result<std::vector<std::string>>
  garbage(std::string_view uid, std::span<const std::string> present) = 0;
};

} // namespace ebb
