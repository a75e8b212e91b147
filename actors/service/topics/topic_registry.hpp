/// The topics of the control process: their logs, appended to in groups, read, watched and kept
/// small.
#pragma once

#include "actors/gateway/metrics.hpp"
#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"
#include "actors/service/topics/topic_settings.hpp"
#include "storage/topic_log.hpp"
#include "storage/topic_queue.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

class topic_host;

struct topic_registry_options {
  std::string data_folder;                        ///< logs lie in data_folder/topics/UID
  micros idle_time = 30 * micros_per_second;      ///< a log that nobody used for so long is closed
  micros retention_time = 60 * micros_per_second; ///< between two looks at what may go
  std::uint32_t open_logs = 256;                  ///< more are closed, the longest unused first
  topic_queue_limits queue = {};                  ///< of each topic
  /// After rows were appended and before they are acknowledged; also where a log that a crash left
  /// holds more than was known. From any thread; must not block. May be null.
  std::function<void(const std::string& uid)> on_moved = {};
  /// Lowest offset of each partition that a stream, a record or a savepoint still needs; empty =
  /// none. From any thread, while the topic's log is locked: of the
  /// registry it may call `find` and `find_uid` only. May be null.
  std::function<std::vector<std::uint64_t>(const std::string& uid)> needed = {};
};

/// A topic as it is now.
struct topic_usage {
  std::vector<topic_bounds> bounds; ///< of each partition
  topic_size size;
  micros last_time = 0; ///< append time of the newest row; 0 = none was appended
};

/// Thread-safe. A log is opened by its first use and closed when it is idle, so that ten thousand
/// topics cost what their settings cost. Functions that say `blocks` read or write files in the
/// caller's thread and wait for nothing else than the log's own lock: an I/O thread may call them.
class topic_registry {
public:
  /// `io` and `metrics` must outlive it; `clock` is the wall clock, called from any thread.
  [[nodiscard]] static result<std::unique_ptr<topic_registry>> open(topic_registry_options options,
                                                                    io_executor& io,
                                                                    std::function<micros()> clock,
                                                                    metrics_registry& metrics);

  /// Waits for the groups that are under way, answers what waits as failed, closes the logs.
  ~topic_registry();
  topic_registry(const topic_registry&) = delete;
  topic_registry& operator=(const topic_registry&) = delete;

  /// Makes the topic known, or takes over its changed retention, quota and name. Opens nothing.
  /// ec::conflict where columns, key, partitions or namespace differ from those it has, or another
  /// topic has the name.
  [[nodiscard]] result<void> put(topic_settings settings);

  /// Forgets the topic at once, fails what waits, waits for what is under way, removes its folder.
  /// Blocks. Nothing happens where there is none.
  [[nodiscard]] result<void> remove(const std::string& uid);

  [[nodiscard]] std::optional<topic_settings> find(std::string_view name_space,
                                                   std::string_view name) const;
  [[nodiscard]] std::optional<topic_settings> find_uid(std::string_view uid) const;
  [[nodiscard]] std::size_t count() const;
  [[nodiscard]] std::string folder(const std::string& uid) const;

  /// Oldest and next offset of each partition. From memory, or from a small file beside a closed
  /// log; blocks otherwise. ec::not_found.
  [[nodiscard]] result<std::vector<topic_bounds>> bounds(const std::string& uid);

  /// The same and sizes.
  [[nodiscard]] result<topic_usage> usage(const std::string& uid);

  /// Appends; `answer` is called once, from any thread (at once where the request is refused), and
  /// must not block. Rows of a topic with a key get their partitions here where the parts have
  /// none.
  void append(const std::string& uid, topic_append request,
              std::function<void(append_answer)> answer);

  /// Appends the batches of a file of staged output as one request; doing it again changes nothing.
  /// Blocks.
  [[nodiscard]] result<void> append_file(const std::string& uid, const std::string& path,
                                         const sink_mark& mark);

  /// As topic_access::watch. Also called when the topic is removed. Null where there is no such
  /// topic.
  [[nodiscard]] std::shared_ptr<void> watch(const std::string& uid, std::function<void()> moved);

  /// How far a sink has got. Blocks.
  [[nodiscard]] result<std::optional<sink_mark>> mark(const std::string& uid,
                                                      std::string_view sink);

  /// Forgets the marks of sinks whose names begin so. Blocks.
  [[nodiscard]] result<void> forget_marks(const std::string& uid, std::string_view prefix);

  /// Reads a piece of a partition, as topic_reader::read. Blocks; readers of a topic take turns.
  [[nodiscard]] result<topic_slice> read(const std::string& uid, std::uint32_t partition,
                                         std::uint64_t offset, const topic_read_limits& limits);

  /// Applies retention to the topic now. Blocks.
  [[nodiscard]] result<retention_outcome> retain(const std::string& uid);

  /// How many logs are open.
  [[nodiscard]] std::size_t open_logs() const;

  /// The host of a topic, or null.
  [[nodiscard]] std::shared_ptr<topic_host> host(std::string_view uid) const;
  [[nodiscard]] std::shared_ptr<topic_host> host(std::string_view name_space,
                                                 std::string_view name) const;

  /// Topics of one namespace, for streams in this process and for the links of workers. The
  /// registry must outlive it.
  [[nodiscard]] std::unique_ptr<topic_access> access(std::string name_space);

private:
  struct parts;
  explicit topic_registry(std::shared_ptr<parts> made);

  void look_later();

  std::shared_ptr<parts> parts_;
};

} // namespace ebb
