/// One topic: its log while it is used, the requests that wait, and who wants to know of rows.
#pragma once

#include "actors/service/topics/closed_topic.hpp"
#include "actors/service/topics/deadline_timer.hpp"
#include "actors/service/topics/message_parsers.hpp"
#include "actors/service/topics/topic_gathering.hpp"
#include "actors/service/topics/topic_surroundings.hpp"
#include "storage/topic_log.hpp"

#include <array>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Thread-safe. The log is used under `log_mutex_`, its one reader under `reader_mutex_`, the rest
/// is under `mutex_`; they are taken in this order, and none is held while others are called.
class topic_host final : public std::enable_shared_from_this<topic_host> {
public:
  using answer_function = topic_gathering::answer_function;

  topic_host(topic_settings settings, std::shared_ptr<topic_surroundings> around);

  [[nodiscard]] std::shared_ptr<const topic_settings> settings() const;
  void set(topic_settings settings);

  [[nodiscard]] const std::string& uid() const noexcept {
    return uid_;
  }

  [[nodiscard]] const std::string& folder() const noexcept {
    return folder_;
  }

  /// topic_registry says what these do.
  void append(topic_append request, answer_function answer, std::string_view traceparent = {});
  [[nodiscard]] append_answer append_now(topic_append request);
  [[nodiscard]] result<topic_slice> read(std::uint32_t partition, std::uint64_t offset,
                                         const topic_read_limits& limits);
  [[nodiscard]] result<std::vector<topic_bounds>> bounds();
  [[nodiscard]] result<topic_usage> usage();
  [[nodiscard]] std::shared_ptr<void> watch(std::function<void()> moved);
  [[nodiscard]] result<std::optional<sink_mark>> mark(std::string_view sink);
  [[nodiscard]] result<void> forget_marks(std::string_view prefix);
  [[nodiscard]] result<retention_outcome> retain();

  /// What is known without any file; nothing where the log was not looked at yet.
  [[nodiscard]] std::optional<topic_usage> known() const;

  /// Whether a closed log has rows that are too old, as far as its small file tells.
  [[nodiscard]] bool overdue();

  /// Refuses everything from now on and fails what waits with `why`; waits for the group under way
  /// and closes the log. `remove`: its folder goes, too.
  [[nodiscard]] result<void> end(const error& why, bool remove);

  [[nodiscard]] bool ended() const;

  [[nodiscard]] bool is_open() const noexcept {
    return open_.load(std::memory_order_relaxed);
  }

  /// When it was used last.
  [[nodiscard]] deadline_timer::clock::time_point used() const noexcept {
    return deadline_timer::clock::time_point(
        deadline_timer::clock::duration(used_.load(std::memory_order_relaxed)));
  }

  /// traceparent of the newest request of the group that was written last; empty = it had none.
  [[nodiscard]] std::string last_trace() const;

  /// Closes the log unless it is busy.
  void close_soon();

  /// Lanes of the I/O pool for those who read it: one for those who begin, or wait at the end, and
  /// one for those who have much to read, so that however many of these there are, nobody waits for
  /// them who wants little.
  [[nodiscard]] std::uint64_t read_lane(bool much) const noexcept {
    return much ? bulk_lane_ : read_lane_;
  }

  /// Of its columns, made by the first call.
  [[nodiscard]] std::shared_ptr<message_parsers> parsers();

private:
  struct watcher {
    std::function<void()> moved;
  };

  using clock = deadline_timer::clock;

  void plan(std::unique_lock<std::mutex>& guard);
  void write_group();
  [[nodiscard]] std::vector<append_answer> write(const std::vector<topic_append>& group);
  void deliver(topic_gathering::delivery what) const;
  void fail_waiting(const error& why);
  void count(const topic_append& request, const append_answer& answer) const;
  void notify(bool hook);
  void notify_learned();

  // Under log_mutex_.
  [[nodiscard]] result<void> ensure_open();
  void learn(micros last_time);
  void close_log(bool note);
  [[nodiscard]] result<retention_outcome> retain_open();

  void touch() noexcept {
    used_.store(clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  }

  void arm_idle();
  void close_if_idle(bool forced);

  const std::string uid_;
  const std::string folder_;
  const std::shared_ptr<topic_surroundings> around_;
  /// Groups take turns: while one is answered, the next is written.
  const std::array<std::uint64_t, 2> write_lanes_;
  const std::uint64_t read_lane_;
  const std::uint64_t bulk_lane_;
  std::atomic<clock::rep> used_ = 0;
  std::atomic<bool> open_ = false;
  std::atomic<bool> reopen_ = false;        ///< its options have changed
  std::atomic<bool> learned_moved_ = false; ///< opening found rows that were not known

  std::mutex log_mutex_;
  std::unique_ptr<topic_log> log_;
  std::optional<error> closed_for_; ///< no use any more
  std::uint32_t files_ = 0;         ///< when retention was last applied

  std::mutex reader_mutex_;
  std::optional<topic_reader> reader_;

  mutable std::mutex mutex_;
  std::shared_ptr<const topic_settings> settings_;
  std::unique_ptr<topic_gathering> gathering_; ///< null while the topic is not used
  std::vector<std::weak_ptr<watcher>> watchers_;
  std::optional<closed_topic> known_;
  std::optional<error> ended_;
  std::shared_ptr<message_parsers> parsers_;
  std::string trace_;       ///< of the newest request that waits
  std::string group_trace_; ///< of the newest one of the group under way, or the last
  std::condition_variable rested_;
  std::uint32_t running_ = 0; ///< calls of write_group
  std::uint32_t turn_ = 0;    ///< of write_lanes_
  bool scheduled_ = false;    ///< write_group is on its way, or writes
};

} // namespace ebb
