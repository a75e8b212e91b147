/// Executors, folders and drivers for tests of the file source and sinks.
#pragma once

#include "actors/runtime/connector.hpp"
#include "tests/connectors/files_support.hpp"

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace ebb::test {

/// Runs jobs at once, in the caller.
class inline_executor final : public io_executor {
public:
  std::uint64_t open_lane() override {
    return lanes_++;
  }

  void submit(std::uint64_t, std::function<void()> job) override {
    job();
  }

private:
  std::uint64_t lanes_ = 0;
};

/// Keeps jobs until the test runs them.
class manual_executor final : public io_executor {
public:
  std::uint64_t open_lane() override {
    return lanes_++;
  }

  void submit(std::uint64_t, std::function<void()> job) override {
    jobs_.push_back(std::move(job));
  }

  bool run_one() {
    if (jobs_.empty())
      return false;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    job();
    return true;
  }

  [[nodiscard]] std::size_t waiting() const noexcept {
    return jobs_.size();
  }

private:
  std::deque<std::function<void()>> jobs_;
  std::uint64_t lanes_ = 0;
};

/// One thread for all lanes.
class thread_executor final : public io_executor {
public:
  thread_executor() : thread_([this] { run(); }) {}

  ~thread_executor() override {
    submit(0, nullptr);
    thread_.join();
  }

  std::uint64_t open_lane() override {
    const std::lock_guard lock(mutex_);
    return lanes_++;
  }

  void submit(std::uint64_t, std::function<void()> job) override {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
    changed_.notify_one();
  }

private:
  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return !jobs_.empty(); });
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      if (!job)
        return;
      job();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> jobs_;
  std::uint64_t lanes_ = 0;
  std::thread thread_;
};

/// A folder that is gone at the end.
class temporary_folder {
public:
  temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "ebb-files-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }

  ~temporary_folder() {
    std::filesystem::remove_all(path_);
  }

  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;

  [[nodiscard]] const std::string& path() const noexcept {
    return path_;
  }

  [[nodiscard]] std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

  void write(const std::string& name, std::string_view text, bool append = false) const {
    std::ofstream file(*this / name, std::ios::binary | (append ? std::ios::app : std::ios::trunc));
    file.write(text.data(), static_cast<std::streamsize>(text.size()));
  }

  [[nodiscard]] std::string read(const std::string& name) const {
    std::ifstream file(*this / name, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  [[nodiscard]] bool has(const std::string& name) const {
    return std::filesystem::exists(*this / name);
  }

private:
  std::string path_;
};

/// Collects what a reader emits.
class collector final : public output {
public:
  void emit(batch_ptr rows) override {
    batches.push_back(std::move(rows));
  }

  void advance(micros) override {}

  void idle() override {}

  [[nodiscard]] std::vector<std::string> lines() const {
    std::vector<std::string> out;
    for (const auto& x : batches)
      append_rows(*x, out);
    return out;
  }

  std::vector<batch_ptr> batches;
};

/// Waits for calls of a wake function from another thread.
class waker {
public:
  [[nodiscard]] wake_function function() {
    return [this] {
      const std::lock_guard lock(mutex_);
      ++calls_;
      changed_.notify_one();
    };
  }

  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return calls_ != seen_; });
    seen_ = calls_;
  }

  [[nodiscard]] std::uint64_t calls() {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t calls_ = 0;
  std::uint64_t seen_ = 0;
};

} // namespace ebb::test
