/// The inside of a topic's log.
#pragma once

#include "storage/folder_lock.hpp"
#include "storage/topic_admission.hpp"
#include "storage/topic_file.hpp"
#include "storage/topic_log.hpp"
#include "storage/topic_memory.hpp"
#include "storage/topic_slot.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ebb {

/// Rows of a group, by partition.
class topic_group_rows {
public:
  explicit topic_group_rows(const std::vector<std::uint64_t>& ends)
      : ends_(ends), parts_(ends.size()) {}

  /// Where the rows of a request go; `chosen` for those of which it does not say it. Nothing for a
  /// partition that does not exist, or numbers that are not one a row.
  [[nodiscard]] std::optional<std::vector<topic_range>> add(const topic_append& x,
                                                            std::uint32_t chosen);

  [[nodiscard]] const std::vector<batch_ptr>& parts(std::uint32_t partition) const {
    return parts_[partition];
  }

  /// Partitions that have rows, each once.
  [[nodiscard]] const std::vector<std::uint32_t>& touched() const noexcept {
    return touched_;
  }

  /// Offsets after the rows.
  [[nodiscard]] const std::vector<std::uint64_t>& ends() const noexcept {
    return ends_;
  }

private:
  [[nodiscard]] bool sound(const topic_append& x) const;
  void add_rows(std::uint32_t partition, batch_ptr rows, std::vector<topic_range>& ranges);

  std::vector<std::uint64_t> ends_;
  std::vector<std::vector<batch_ptr>> parts_;
  std::vector<std::uint32_t> touched_;
};

class topic_log::implementation {
public:
  implementation(std::string folder, const topic_options& options, folder_lock lock)
      : folder_(std::move(folder)), options_(options), lock_(std::move(lock)),
        slot_(std::make_shared<topic_slot>()) {}

  result<void> open(micros now);

  std::vector<append_answer> append(std::span<const topic_append> requests, micros now);
  result<void> forget_marks(std::string_view prefix, micros now);
  result<retention_outcome> retain(const topic_retention& what, micros now);
  result<void> verify();

  topic_reader make_reader() const;
  std::vector<topic_bounds> bounds() const;
  topic_size size() const;
  std::optional<sink_mark> mark(std::string_view sink) const;

private:
  // Opening (topic_open.cpp).
  result<void> begin_anew(micros now);
  result<void> open_newest(std::uint64_t number, std::uint64_t least_transaction);
  static result<void> recall(const topic_file& from, const lmdb_transaction& in,
                             const topic_summary& summary, topic_memory& to);
  void reopen();
  result<void> check_sealed(const std::vector<std::uint64_t>& present);
  result<void> verify_file(topic_file& file, const std::vector<std::uint64_t>& ends) const;

  // Appending (topic_log.cpp).
  std::uint32_t choose_partition(const topic_append& x);
  result<void> commit(const topic_group_rows& rows, const logged_group& group, micros time);
  result<void> fold(lmdb_transaction& in, topic_summary& summary) const;
  result<void> commit(lmdb_transaction& in, const topic_summary& summary);
  error settle(const error& problem);
  result<void> roll(micros now);
  void publish();
  [[nodiscard]] std::uint64_t sealed_bytes() const noexcept;
  [[nodiscard]] std::uint64_t map_bytes() const noexcept;
  [[nodiscard]] std::size_t removable(const topic_retention& what, micros now) const;

  std::string folder_;
  topic_options options_;
  folder_lock lock_;
  std::unique_ptr<topic_memory> memory_;
  std::shared_ptr<topic_slot> slot_;
  std::shared_ptr<topic_file> file_; ///< the newest; null only after a failure
  topic_file_header header_;         ///< its header
  topic_catalog catalog_;
  topic_summary summary_; ///< of the last commit
  micros last_time_ = 0;  ///< of the last row, in whatever file
  std::uint32_t turn_ = 0;
  std::optional<error> failed_;
  bool reopens_ = false; ///< the next append tries to open the file again
};

} // namespace ebb
