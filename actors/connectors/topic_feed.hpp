/// Reads partitions of a topic ahead on the I/O pool, for a reader that must not block.
#pragma once

#include "actors/runtime/connector.hpp"
#include "actors/runtime/topic_access.hpp"
#include "storage/topic_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace ebb {

/// Owned by the reader and by its job in flight. One job at a time reads what there is; at the end
/// of all partitions nothing runs until the topic says that it has moved. Methods are called by the
/// reader's thread.
class topic_feed : public std::enable_shared_from_this<topic_feed> {
public:
  enum class state : std::uint8_t {
    rows,    ///< rows were taken
    pending, ///< rows are there and being read; the wake function will be called
    at_end,  ///< of all partitions; the wake function will be called when there are rows
    failed,  ///< the log cannot be read just now; `try_again` after a while
  };

  struct share {
    std::uint32_t partition = 0;
    std::uint64_t offset = 0; ///< to begin at
  };

  /// `reader`: one of the topic that is open already; else a job opens one.
  topic_feed(topic_info topic, std::vector<share> from, topic_access& topics,
             std::optional<topic_reader> reader, const connector_context& context);

  /// Watches the topic, then looks what is there. Call once.
  void start();

  /// The oldest rows that were read of some partition, each in its turn; `index` is that of its
  /// share. About `rows_max` rows at most. ec::not_found where retention has removed the next row.
  [[nodiscard]] result<state> take(topic_rows& out, std::size_t& index);

  /// Indexes of the shares at whose end everything has been taken, rising.
  [[nodiscard]] std::vector<std::uint32_t> at_end();

  /// After `failed`: opens the log anew.
  void try_again();

  /// The job in flight, if any, stops soon; nothing is called any more.
  void stop();

  static constexpr std::uint32_t rows_max = 4096;

private:
  struct lane {
    share at; ///< what the next job reads
    std::deque<topic_rows> ready;
    std::size_t bytes = 0;
    bool at_end = false; ///< a job has seen its end, and the topic has not moved since
  };

  /// What the reader's thread waits for.
  enum class wait : std::uint8_t { nothing, rows, any_news };

  /// What a job is to look at.
  struct wish {
    std::size_t index = 0;
    share at;
  };

  void moved();
  void run();
  result<void> read(const std::vector<wish>& wishes, std::uint64_t moves);
  result<void> read_one(const wish& what, std::uint64_t moves);
  void deliver(const wish& what, std::uint64_t moves, topic_slice slice);
  error explained(error problem) const;

  // Called under the mutex.
  [[nodiscard]] bool is_wanted(const lane& x) const;
  [[nodiscard]] bool must_start();
  [[nodiscard]] wake_function news(bool rows);

  const topic_info topic_;
  topic_access& topics_;
  io_executor& io_;
  const std::uint64_t lane_;
  std::size_t slice_bytes_;
  std::shared_ptr<void> watch_; ///< of the reader's thread

  std::optional<topic_reader> reader_; ///< of the job alone

  std::mutex mutex_; ///< guards what follows
  wake_function wake_;
  std::vector<lane> lanes_;
  std::size_t turn_ = 0;
  std::uint64_t moves_ = 0;
  std::optional<error> failure_;
  int failures_ = 0; ///< in a row
  wait waiting_ = wait::nothing;
  bool busy_ = false;
  bool stopped_ = false;
};

} // namespace ebb
