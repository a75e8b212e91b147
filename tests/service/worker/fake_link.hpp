/// A link without a socket: a test plays the far end and the loop's thread.
#pragma once

#include "actors/links/link_connection.hpp"

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace ebb::test {

class fake_link final : public link_connection, public std::enable_shared_from_this<fake_link> {
public:
  explicit fake_link(link_handlers handlers) : handlers_(std::move(handlers)) {}

  result<void> send(const link_message& x) override {
    std::lock_guard guard(mutex_);
    if (!open_)
      return make_error(ec::io, "the link is closed");
    if (full_)
      return make_error(ec::resource, "the link is full");
    sent_.push_back(x);
    changed_.notify_all();
    return {};
  }

  void close(error why) override {
    std::lock_guard guard(mutex_);
    if (open_.exchange(false))
      why_ = std::move(why);
  }

  void finish() override {
    close(make_error(ec::cancelled, "finished"));
    finished_ = true;
  }

  [[nodiscard]] bool open() const noexcept override {
    return open_;
  }

  [[nodiscard]] std::size_t waiting() const noexcept override {
    return 0;
  }

  [[nodiscard]] const link_peer& peer() const noexcept override {
    return peer_;
  }

  // The test's side.

  void hear(link_message x) {
    handlers_.message(shared_from_this(), std::move(x));
  }

  /// The loop's thread notices that it is closed, or the far end has gone.
  void break_off() {
    close(make_error(ec::io, "the other side has gone"));
    handlers_.closed(shared_from_this(), *why_);
  }

  void fill(bool full) {
    std::lock_guard guard(mutex_);
    full_ = full;
  }

  [[nodiscard]] bool finished() const noexcept {
    return finished_;
  }

  [[nodiscard]] std::optional<error> why() {
    std::lock_guard guard(mutex_);
    return why_;
  }

  /// All messages of a kind so far.
  template <class T>
  std::vector<T> said() {
    std::lock_guard guard(mutex_);
    std::vector<T> all;
    for (const auto& x : sent_)
      if (const auto* y = std::get_if<T>(&x))
        all.push_back(*y);
    return all;
  }

  /// Waits until there are so many.
  template <class T>
  std::vector<T> wait_for(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::unique_lock guard(mutex_);
    while (true) {
      std::vector<T> all;
      for (const auto& x : sent_)
        if (const auto* y = std::get_if<T>(&x))
          all.push_back(*y);
      if (all.size() >= count || changed_.wait_until(guard, deadline) == std::cv_status::timeout)
        return all;
    }
  }

private:
  const link_handlers handlers_;
  const link_peer peer_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<link_message> sent_;
  std::optional<error> why_;
  std::atomic<bool> open_ = true;
  std::atomic<bool> finished_ = false;
  bool full_ = false;
};

} // namespace ebb::test
