/// A topic's log: partitions of rows with offsets that begin at 0 and have no gaps.
///
/// It lies in a folder of its own, in LMDB files of bounded size of which the newest is appended
/// to. A group of requests is one transaction with one sync; together with the rows it stores what
/// is needed to know a request again when it is repeated (docs/topics.md).
///
/// Blocking, without threads or a clock: call it from an I/O thread, with the time. One thread at
/// a time appends; readers are objects of their own and read beside it.
#pragma once

#include "schemas/error.hpp"
#include "storage/topic_reader.hpp"
#include "storage/topic_request.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Bounds of what is remembered of producers and keys. What is forgotten counts as new; a
/// producer whose requests alone are forgotten keeps its place, and a repetition is a conflict.
struct topic_memory_limits {
  std::uint32_t requests_a_producer = 1024;
  std::uint32_t requests = 1U << 20; ///< of all producers; those of the longest silent ones go
  std::uint32_t producers = 10'000;  ///< the longest silent ones go
  micros producer_age = 7 * micros_per_day;
  std::uint32_t keys = 100'000; ///< the oldest go
  micros key_age = micros_per_day;

  bool operator==(const topic_memory_limits&) const = default;
};

struct topic_options {
  std::string uid = {};         ///< of the topic; an existing log must have it
  std::uint32_t partitions = 1; ///< an existing log must have as many; at most topic_partitions_max
  /// A file is sealed before it would grow beyond; 64 KiB to 8 GiB. Choose at most an eighth of
  /// what retention keeps: files go as a whole.
  std::uint64_t file_bytes = std::uint64_t{1} << 30;
  std::uint64_t quota_bytes = 0; ///< rows beyond are refused; 0 = none
  topic_memory_limits memory = {};
  /// About how many requests opening reads beyond what is remembered.
  std::uint32_t replayed_requests = 1U << 16;
};

inline constexpr std::uint32_t topic_partitions_max = 1024;

struct topic_retention {
  micros age = 0;          ///< files of which every row is older go; 0 = never
  std::uint64_t bytes = 0; ///< the oldest files go as long as so many bytes stay; 0 = never
  /// Lowest offset of each partition that somebody still needs; empty = nobody needs any.
  std::vector<std::uint64_t> needed = {};
};

struct retention_outcome {
  std::uint32_t files = 0; ///< removed
  std::uint64_t bytes = 0;
};

struct topic_size {
  std::uint64_t bytes = 0; ///< on disk
  std::uint32_t files = 0;
  std::uint64_t rows_appended = 0; ///< since the topic was made
  std::uint32_t producers = 0;     ///< remembered
  std::uint32_t requests = 0;
  std::uint32_t keys = 0;
};

class topic_log {
public:
  class implementation; ///< topic_logging.hpp

  /// Opens the log in `folder` or makes one; repairs what a crash has left half done. `now` is the
  /// time of a new file. ec::conflict: another writer has it, or another uid or number of
  /// partitions; ec::corrupt: the newest file is damaged, or a file is missing or cut.
  [[nodiscard]] static result<std::unique_ptr<topic_log>>
  open(const std::string& folder, const topic_options& options, micros now);

  ~topic_log();
  topic_log(const topic_log&) = delete;
  topic_log& operator=(const topic_log&) = delete;

  /// Appends the requests in order, in one transaction; an answer for each. What is answered
  /// appended or duplicate is on disk. A request that is refused does not touch the others; where
  /// the commit fails, all that would have been appended fail. Full disk: the log stays usable.
  /// After a device error every append fails until the log is opened again.
  /// The append time is `now`, or that of the last append where the clock has gone back.
  [[nodiscard]] std::vector<append_answer> append(std::span<const topic_append> requests,
                                                  micros now);

  /// Removes whole sealed files, the oldest first. Where all rows are too old, the newest file is
  /// sealed for it, too.
  [[nodiscard]] result<retention_outcome> retain(const topic_retention& what, micros now);

  /// A reader in this process, for any thread. It must be gone before the log is opened again.
  [[nodiscard]] topic_reader make_reader() const;

  /// Of each partition; as of the last append.
  [[nodiscard]] std::vector<topic_bounds> bounds() const;
  [[nodiscard]] topic_size size() const;

  /// How far a sink has got.
  [[nodiscard]] std::optional<sink_mark> mark(std::string_view sink) const;
  /// Forgets the marks of sinks whose names begin so: their stream is gone.
  [[nodiscard]] result<void> forget_marks(std::string_view prefix, micros now);

  /// Reads everything; ec::corrupt names what is damaged.
  [[nodiscard]] result<void> verify();

private:
  explicit topic_log(std::unique_ptr<implementation> made);

  std::unique_ptr<implementation> implementation_;
};

} // namespace ebb
