/// What exists and how far it has got: streams, checkpoint records, savepoints, sink tokens.
///
/// DIR/control.mdb; each writing function is one transaction that is durable when it returns.
/// After ec::io or ec::resource from one of them the outcome is unknown: close the database, open
/// it again and read what it says. Writers hold the folder's lock; readers may open it meanwhile,
/// also in other processes. One thread at a time.
#pragma once

#include "schemas/control_records.hpp"
#include "schemas/error.hpp"
#include "schemas/service_records.hpp"
#include "storage/control_check.hpp"
#include "storage/control_store.hpp"
#include "storage/stream_ledger.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// Names of streams, sinks and savepoints are no longer.
inline constexpr std::size_t control_name_max = 127;

/// What applying or deleting manifests changes.
struct service_changes {
  std::vector<stream_entry> new_streams;     ///< with new uids; names that are free
  std::vector<stream_entry> changed_streams; ///< manifest, parallelism and revision are replaced
  std::vector<std::string> deleted_streams;  ///< names
  std::vector<topic_entry> topics;           ///< new ones, or with another text
  std::vector<std::string> deleted_topics;   ///< names
  std::vector<life_traits> traits;           ///< of new and changed streams
  std::vector<life_record> lives;            ///< the same
};

/// Something that is told of a stream to persons.
struct told_event {
  std::string uid;
  std::string kind;
  std::string text;
};

inline constexpr std::size_t told_events_kept = 200;

/// A person wants a stream to go back to a savepoint; the start that does takes the wish away.
struct kept_restore {
  std::string uid; ///< of the stream
  std::string savepoint;
  std::uint8_t past_output = 0; ///< what becomes of newer output; a number of the service's own

  bool operator==(const kept_restore&) const = default;
};

class control_db final : public stream_ledger {
public:
  /// Makes the folder and the file where they are missing. ec::conflict: another process (named)
  /// has the folder; ec::unsupported: a network file system, or a newer version; ec::corrupt.
  [[nodiscard]] static result<control_db> open(const std::string& folder);

  /// Only the reading functions work. ec::not_found where there is no database.
  [[nodiscard]] static result<control_db> open_read_only(const std::string& folder);

  [[nodiscard]] const std::string& folder() const noexcept {
    return folder_;
  }

  /// What was read needs no memory of this process any more until it is read again.
  void let_go_of_pages() noexcept;

  // Streams.

  [[nodiscard]] result<stream_entry> open_or_create(const stream_entry& wanted) override;
  [[nodiscard]] result<std::optional<stream_entry>> find_stream(std::string_view name) override;
  /// ec::not_found where there is none.
  [[nodiscard]] result<stream_entry> stream(std::string_view uid);
  /// Deleted ones, too, as long as they are not forgotten.
  [[nodiscard]] result<std::vector<stream_entry>> streams();
  /// Names and uids of those that are not deleted, by name; nothing else of them is read.
  [[nodiscard]] result<std::vector<std::pair<std::string, std::string>>> stream_names();

  [[nodiscard]] result<void> update_stream(const stream_entry& changed,
                                           std::uint64_t generation) override;

  [[nodiscard]] result<void> delete_stream(std::string_view name) override;
  [[nodiscard]] result<void> forget_stream(std::string_view uid) override;

  // Fencing.

  [[nodiscard]] result<std::uint64_t> begin_generation(std::string_view uid) override;
  [[nodiscard]] result<std::uint64_t> reserve_epochs(std::string_view uid, std::uint64_t generation,
                                                     std::uint64_t count) override;

  // Checkpoints.

  [[nodiscard]] result<void> commit(const commit_request& request) override;
  [[nodiscard]] result<std::vector<checkpoint_record>> records(std::string_view uid) override;
  [[nodiscard]] result<std::optional<checkpoint_record>>
  newest_record(std::string_view uid) override;

  [[nodiscard]] result<void> rewind(const checkpoint_record& record, std::uint64_t generation,
                                    std::span<const sink_token> tokens) override;

  // Savepoints.

  [[nodiscard]] result<std::vector<savepoint_entry>> savepoints(std::string_view uid) override;
  [[nodiscard]] result<std::optional<savepoint_entry>> savepoint(std::string_view uid,
                                                                 std::string_view name) override;
  /// Names of those whose history a rewind has given up: `savepoint` refuses them.
  [[nodiscard]] result<std::vector<std::string>> given_up_savepoints(std::string_view uid);
  /// Keeps the newest record under a name; its epoch. ec::not_found where there is no record,
  /// ec::conflict where the name is taken.
  [[nodiscard]] result<std::uint64_t> name_newest(std::string_view uid, std::string_view name);
  /// ec::not_found where there is none.
  [[nodiscard]] result<void> delete_savepoint(std::string_view uid, std::string_view name);

  // Sinks.

  [[nodiscard]] result<void> set_tokens(std::string_view uid, std::uint64_t generation,
                                        std::span<const sink_token> tokens) override;
  [[nodiscard]] result<std::vector<sink_token>> tokens(std::string_view uid) override;

  // Files.

  /// Names of segments and output files that a record or savepoint lists, in order, each once.
  [[nodiscard]] result<std::vector<std::string>> listed_files(std::string_view uid);
  [[nodiscard]] result<std::vector<std::string>>
  garbage(std::string_view uid, std::span<const std::string> present) override;

  /// Reads every entry of every table, and compares what they say of each other
  /// (control_check.cpp).
  [[nodiscard]] result<control_check> check();

  // What a service keeps besides (control_service.cpp).

  /// All of it in one transaction.
  [[nodiscard]] result<void> change(const service_changes& changes);
  /// The number of the control process that begins; grows each time, and is not below `least`.
  [[nodiscard]] result<std::uint64_t> begin_incarnation(std::uint64_t least = 0);
  /// The control process of this number ends in order, and none of what it has started is left.
  [[nodiscard]] result<void> end_incarnation(std::uint64_t number);
  /// Whether the last control process but this one, the `number`-th, has done so.
  [[nodiscard]] result<bool> follows_an_end(std::uint64_t number);
  /// By name.
  [[nodiscard]] result<std::vector<topic_entry>> topics();
  [[nodiscard]] result<std::optional<topic_entry>> find_topic(std::string_view name);
  /// Names of streams that read or write the topic.
  [[nodiscard]] result<std::vector<std::string>> users_of_topic(std::string_view uid);
  /// Name of a stream, but the one with this uid, that writes a file whose path `is_it`.
  [[nodiscard]] result<std::optional<std::string>>
  writer_of_file(const std::function<bool(const std::string&)>& is_it, std::string_view but);
  [[nodiscard]] result<std::optional<life_traits>> find_traits(std::string_view uid);
  [[nodiscard]] result<std::vector<life_record>> lives();
  [[nodiscard]] result<std::vector<life_traits>> traits();
  [[nodiscard]] result<void> put_life(const life_record& life);

  /// Takes the place of an earlier one. `rewind` of the stream takes it away, in its transaction.
  [[nodiscard]] result<void> keep_restore(const kept_restore& x);
  [[nodiscard]] result<void> drop_restore(std::string_view uid);
  [[nodiscard]] result<std::optional<kept_restore>> find_restore(std::string_view uid);
  [[nodiscard]] result<std::vector<kept_restore>> restores();

  /// Appends texts to what is told of streams; of each kind the newest `told_events_kept` stay.
  [[nodiscard]] result<void> add_events(std::span<const told_event> events);
  /// Newest first.
  [[nodiscard]] result<std::vector<std::string>> events(std::string_view uid, std::string_view kind,
                                                        std::size_t limit);

private:
  control_db(std::string folder, std::unique_ptr<control_store> store)
      : folder_(std::move(folder)), store_(std::move(store)) {}

  result<control_transaction> write();
  result<void> erase_stream(control_transaction& in, std::string_view name);

  std::string folder_;
  std::unique_ptr<control_store> store_;
};

/// 32 random hexadecimal digits: a stream's uid.
[[nodiscard]] result<std::string> random_uid();

} // namespace ebb
