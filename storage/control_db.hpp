/// What exists and how far it has got: streams, checkpoint records, savepoints, sink tokens.
///
/// DIR/control.mdb; each writing function is one transaction that is durable when it returns.
/// After ec::io or ec::resource from one of them the outcome is unknown: close the database, open
/// it again and read what it says. Writers hold the folder's lock; readers may open it meanwhile,
/// also in other processes. One thread at a time.
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"
#include "storage/control_store.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Names of streams, sinks and savepoints are no longer.
inline constexpr std::size_t control_name_max = 63;

/// Writes a record.
struct commit_request {
  checkpoint_record record;
  std::uint64_t generation = 0;        ///< of the writer
  std::vector<std::string> savepoints; ///< also kept under these names
  std::size_t retained = 3;            ///< newest records that stay, this one included; 1 at least
};

class control_db {
public:
  /// Makes the folder and the file where they are missing. ec::conflict: another process (named)
  /// has the folder; ec::unsupported: a network file system, or a newer version; ec::corrupt.
  [[nodiscard]] static result<control_db> open(const std::string& folder);

  /// Only the reading functions work. ec::not_found where there is no database.
  [[nodiscard]] static result<control_db> open_read_only(const std::string& folder);

  [[nodiscard]] const std::string& folder() const noexcept {
    return folder_;
  }

  // Streams.

  /// The stream that has this name, or `wanted` (with a new uid) as a new one.
  [[nodiscard]] result<stream_entry> open_or_create(const stream_entry& wanted);
  [[nodiscard]] result<std::optional<stream_entry>> find_stream(std::string_view name);
  /// ec::not_found where there is none.
  [[nodiscard]] result<stream_entry> stream(std::string_view uid);
  /// Deleted ones, too, as long as they are not forgotten.
  [[nodiscard]] result<std::vector<stream_entry>> streams();

  /// Replaces manifest, plan, its fingerprint, operators, parallelism and life; the rest stays.
  [[nodiscard]] result<void> update_stream(const stream_entry& changed, std::uint64_t generation);

  /// Ends the stream of this name: its records, savepoints and tokens go, its entry stays with life
  /// `deleted`, so that its files can be found. A new stream of the name has nothing of it.
  [[nodiscard]] result<void> delete_stream(std::string_view name);
  /// Removes the entry of a deleted stream, once its files are gone.
  [[nodiscard]] result<void> forget_stream(std::string_view uid);

  // Fencing.

  /// The next generation; writes of lower ones are refused from now on (ec::conflict).
  [[nodiscard]] result<std::uint64_t> begin_generation(std::string_view uid);
  /// The first of `count` epochs, which are never given out again.
  [[nodiscard]] result<std::uint64_t> reserve_epochs(std::string_view uid, std::uint64_t generation,
                                                     std::uint64_t count);

  // Checkpoints.

  /// The commit point of a checkpoint. ec::conflict: the generation is not the stream's, or the
  /// epoch is not greater than that of the last record; ec::internal: it was never reserved.
  /// Records beyond the newest `retained` go. A record that is `finished` ends the stream's life.
  [[nodiscard]] result<void> commit(const commit_request& request);
  /// Newest first.
  [[nodiscard]] result<std::vector<checkpoint_record>> records(std::string_view uid);
  [[nodiscard]] result<std::optional<checkpoint_record>> newest_record(std::string_view uid);

  /// Makes `record` (of a savepoint, or an older one) the newest: later ones go. The stream is
  /// active again, and its tokens are `tokens`.
  [[nodiscard]] result<void> rewind(const checkpoint_record& record, std::uint64_t generation,
                                    std::span<const sink_token> tokens);

  // Savepoints.

  [[nodiscard]] result<std::vector<savepoint_entry>> savepoints(std::string_view uid);
  [[nodiscard]] result<std::optional<savepoint_entry>> savepoint(std::string_view uid,
                                                                 std::string_view name);
  /// ec::not_found where there is none.
  [[nodiscard]] result<void> delete_savepoint(std::string_view uid, std::string_view name);

  // Sinks.

  /// ec::conflict for a lower generation, for an epoch below the lane's, or for another offset at
  /// the same epoch.
  [[nodiscard]] result<void> set_tokens(std::string_view uid, std::uint64_t generation,
                                        std::span<const sink_token> tokens);
  [[nodiscard]] result<std::vector<sink_token>> tokens(std::string_view uid);

  // Files.

  /// Names of segments and output files that a record or savepoint lists, in order, each once.
  [[nodiscard]] result<std::vector<std::string>> listed_files(std::string_view uid);
  /// Those of `present` that none lists. Files of an epoch under way, or of a merge, are among
  /// them: the caller leaves those alone.
  [[nodiscard]] result<std::vector<std::string>> garbage(std::string_view uid,
                                                         std::span<const std::string> present);

private:
  control_db(std::string folder, std::unique_ptr<control_store> store)
      : folder_(std::move(folder)), store_(std::move(store)) {}

  result<control_transaction> write();

  std::string folder_;
  std::unique_ptr<control_store> store_;
};

/// 32 random hexadecimal digits: a stream's uid.
[[nodiscard]] result<std::string> random_uid();

} // namespace ebb
