/// Topics of real logs in a folder, for tests of whoever reads and writes topics.
#pragma once

#include "actors/connectors/topic_output.hpp"
#include "actors/runtime/topic_access.hpp"
#include "storage/topic_log.hpp"

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ebb::test {

/// Thread-safe. What goes wrong with the logs themselves throws.
class local_topics final : public topic_access {
public:
  explicit local_topics(std::string folder) : folder_(std::move(folder)) {}

  void create(const std::string& name, schema columns, std::uint32_t partitions = 1,
              std::string key = {}, std::uint64_t file_bytes = std::uint64_t{1} << 20) {
    const std::lock_guard lock(mutex_);
    auto& x = topics_[name];
    // A topic of a name that there was is another one.
    x.info = {"uid-" + name + (made_ == 0 ? "" : std::to_string(made_)),
              name,
              {},
              partitions,
              std::move(columns),
              std::move(key)};
    ++made_;
    x.info.folder = folder_ + "/" + x.info.uid;
    std::filesystem::create_directories(x.info.folder);
    x.options.uid = x.info.uid;
    x.options.partitions = partitions;
    x.options.file_bytes = file_bytes;
    x.log = value(topic_log::open(x.info.folder, x.options, now_));
  }

  /// Its messages are changes of rows with this PRIMARY KEY.
  void take_changes(const std::string& name, std::vector<std::string> primary_key) {
    auto& x = topics_.at(name).info;
    x.changes = true;
    x.primary_key = std::move(primary_key);
  }

  /// Appends rows to one partition.
  void add(const std::string& name, const batch_ptr& rows, std::uint32_t partition = 0) {
    topic_append request;
    request.parts.push_back({rows, {partition}});
    const auto answer = append_now(uid(name), std::move(request));
    if (answer.status != append_status::appended)
      throw std::runtime_error(to_string(answer.problem));
  }

  /// All rows of a partition.
  [[nodiscard]] std::vector<batch_ptr> rows(const std::string& name, std::uint32_t partition = 0) {
    const std::lock_guard lock(mutex_);
    std::vector<batch_ptr> all;
    auto reader = topics_.at(name).log->make_reader();
    auto at = value(reader.bounds()).at(partition).begin;
    for (;;) {
      auto slice = value(reader.read(partition, at, {}));
      if (slice.batches.empty())
        return all;
      at = slice.next;
      for (auto& x : slice.batches)
        all.push_back(std::move(x.rows));
    }
  }

  [[nodiscard]] std::vector<topic_bounds> bounds(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return topics_.at(name).log->bounds();
  }

  /// Removes all that is older than the newest file.
  void retain(const std::string& name, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    static_cast<void>(value(topics_.at(name).log->retain({0, bytes, {}}, now_)));
  }

  [[nodiscard]] std::string uid(const std::string& name) {
    const std::lock_guard lock(mutex_);
    return topics_.at(name).info.uid;
  }

  /// Answers of `append` wait until `release`.
  void hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }

  void release() {
    std::vector<std::function<void()>> held;
    {
      const std::lock_guard lock(mutex_);
      holding_ = false;
      held.swap(held_);
    }
    for (auto& x : held)
      x();
  }

  /// The next `append` is refused.
  void refuse_next(append_status status) {
    const std::lock_guard lock(mutex_);
    refusal_ = status;
  }

  /// The next readers cannot be opened.
  void refuse_readers(int count) {
    const std::lock_guard lock(mutex_);
    refused_readers_ = count;
  }

  /// The next `append_file`s fail with this kind, before anything was appended.
  void refuse_files(int count, ec kind) {
    const std::lock_guard lock(mutex_);
    refused_files_ = count;
    file_error_ = kind;
  }

  /// The next `append_file`s append and fail.
  void forget_answers_of_files(int count, ec kind) {
    const std::lock_guard lock(mutex_);
    forgotten_files_ = count;
    file_error_ = kind;
  }

  [[nodiscard]] std::size_t watchers() {
    const std::lock_guard lock(mutex_);
    return watchers_.size();
  }

  // --- topic_access

  result<topic_info> find(const std::string& name) override {
    const std::lock_guard lock(mutex_);
    const auto found = topics_.find(name);
    if (found == topics_.end())
      return make_error(ec::not_found, "there is no topic " + name);
    return found->second.info;
  }

  result<topic_reader> open_reader(const topic_info& which) override {
    const std::lock_guard lock(mutex_);
    if (refused_readers_ > 0) {
      --refused_readers_;
      return make_error(ec::io, "the log cannot be read");
    }
    return of(which.uid).log->make_reader();
  }

  std::shared_ptr<void> watch(const std::string& uid, std::function<void()> moved) override {
    const std::lock_guard lock(mutex_);
    const auto number = next_watcher_++;
    watchers_[number] = {uid, std::move(moved)};
    return {nullptr, [this, number](void*) {
              const std::lock_guard inner(mutex_);
              watchers_.erase(number);
            }};
  }

  void append(const std::string& uid, topic_append request,
              std::function<void(append_answer)> answer) override {
    append_answer made;
    {
      const std::lock_guard lock(mutex_);
      if (refusal_) {
        made.status = *std::exchange(refusal_, std::nullopt);
        made.problem = make_error(ec::resource, "refused");
      }
    }
    if (made.problem.message.empty())
      made = append_now(uid, std::move(request));
    {
      const std::lock_guard lock(mutex_);
      if (holding_) {
        held_.emplace_back([answer = std::move(answer), made = std::move(made)] { answer(made); });
        return;
      }
    }
    answer(std::move(made));
  }

  result<void> append_file(const std::string& uid, const std::string& path,
                           const sink_mark& mark) override {
    auto lost = make_error(ec::io, "the control process is gone");
    std::optional<sink_mark> known;
    bool forget = false;
    {
      const std::lock_guard lock(mutex_);
      lost.code = file_error_;
      if (refused_files_ > 0) {
        --refused_files_;
        return lost;
      }
      forget = forgotten_files_ > 0;
      forgotten_files_ -= forget ? 1 : 0;
      known = of(uid).log->mark(mark.sink);
    }
    EBB_TRY(append_topic_output(path, mark, known, [&](topic_append request) {
      return append_now(uid, std::move(request));
    }));
    return forget ? result<void>{lost} : result<void>{};
  }

private:
  struct topic {
    topic_info info;
    topic_options options;
    std::unique_ptr<topic_log> log;
  };

  struct watcher {
    std::string uid;
    std::function<void()> moved;
  };

  template <class T>
  static T value(result<T> x) {
    if (!x)
      throw std::runtime_error(to_string(x.error()));
    return *std::move(x);
  }

  topic& of(const std::string& uid) {
    for (auto& [name, x] : topics_)
      if (x.info.uid == uid)
        return x;
    throw std::runtime_error("no topic " + uid);
  }

  append_answer append_now(const std::string& uid, topic_append request) {
    std::vector<std::function<void()>> told;
    append_answer answer;
    {
      const std::lock_guard lock(mutex_);
      auto answers = of(uid).log->append({&request, 1}, ++now_);
      answer = std::move(answers.at(0));
      for (const auto& [number, x] : watchers_)
        if (x.uid == uid)
          told.push_back(x.moved);
    }
    for (const auto& x : told)
      x();
    return answer;
  }

  const std::string folder_;
  std::mutex mutex_;
  std::map<std::string, topic> topics_; ///< by name
  std::map<std::uint64_t, watcher> watchers_;
  std::vector<std::function<void()>> held_;
  std::optional<append_status> refusal_;
  std::uint64_t next_watcher_ = 0;
  micros now_ = 1;
  int made_ = 0;
  int refused_readers_ = 0;
  int refused_files_ = 0;
  int forgotten_files_ = 0;
  ec file_error_ = ec::io;
  bool holding_ = false;
};

} // namespace ebb::test
