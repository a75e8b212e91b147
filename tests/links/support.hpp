/// Two ends of links in one process.
#pragma once

#include "actors/links/link_server.hpp"
#include "tests/storage/storage_support.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ebb::links_test {

using namespace std::chrono_literals;

template <class T>
T take(result<T> x) {
  if (!x)
    BOOST_FAIL(to_string(x.error()));
  return *std::move(x);
}

inline void take(const result<void>& x) {
  if (!x)
    BOOST_FAIL(to_string(x.error()));
}

/// Keeps what its handlers are told.
class recorder {
public:
  link_handlers handlers(std::function<void(const link_pointer&, const link_message&)> also = {}) {
    return {[this, also = std::move(also)](const link_pointer& link, link_message&& x) {
              if (also)
                also(link, x);
              std::lock_guard guard(mutex_);
              if (gone_.count(link.get()) != 0)
                after_close_ = true;
              messages_.push_back(std::move(x));
              changed_.notify_all();
            },
            [this](const link_pointer& link, const error& why) {
              std::lock_guard guard(mutex_);
              gone_.insert(link.get());
              closed_.push_back(why);
              changed_.notify_all();
            }};
  }

  void accepted(const link_pointer& link) {
    std::lock_guard guard(mutex_);
    links_.push_back(link);
    changed_.notify_all();
  }

  std::vector<link_message> messages(std::size_t at_least = 0) {
    return wait([&] { return messages_.size() >= at_least; }, messages_, "messages");
  }

  std::vector<error> closed(std::size_t at_least = 1) {
    return wait([&] { return closed_.size() >= at_least; }, closed_, "closed links");
  }

  std::vector<link_pointer> links(std::size_t at_least = 1) {
    return wait([&] { return links_.size() >= at_least; }, links_, "accepted links");
  }

  /// Whether a link has delivered after it was closed.
  [[nodiscard]] bool after_close() {
    std::lock_guard guard(mutex_);
    return after_close_;
  }

private:
  template <class Ready, class T>
  std::vector<T> wait(const Ready& ready, const std::vector<T>& of, const char* what) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, 20s, ready))
      BOOST_FAIL("waited in vain for " << what << ", there are " << of.size());
    return of;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<link_message> messages_;
  std::vector<error> closed_;
  std::vector<link_pointer> links_; // held, so that addresses do not come again
  std::set<link_connection*> gone_;
  bool after_close_ = false;
};

/// A server, with a recorder for all of its connections.
class server_end {
public:
  using also_function = std::function<void(const link_pointer&, const link_message&)>;

  explicit server_end(const link_options& options = {}, also_function also = {})
      : loop_(take(link_loop::start(options))) {
    listen(std::move(also));
  }

  void listen(also_function also = {}) {
    server_ = take(
        link_server::listen(*loop_, path(), [this, also = std::move(also)](const link_pointer& x) {
          seen.accepted(x);
          return seen.handlers(also);
        }));
  }

  void close() {
    server_.reset();
  }

  [[nodiscard]] std::string path() const {
    return folder_.path() + "/links";
  }

  [[nodiscard]] link_loop& loop() {
    return *loop_;
  }

  recorder seen;

private:
  storage_test::temporary_folder folder_;
  std::unique_ptr<link_loop> loop_;
  std::unique_ptr<link_server> server_;
};

class client_end {
public:
  explicit client_end(const server_end& to, const link_options& options = {},
                      server_end::also_function also = {})
      : loop_(take(link_loop::start(options))),
        link(take(connect_link(*loop_, to.path(), seen.handlers(std::move(also))))) {}

  recorder seen;

private:
  std::unique_ptr<link_loop> loop_;

public:
  link_pointer link;
};

} // namespace ebb::links_test
