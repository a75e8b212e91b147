/// A control process with a database and a worker that calls it, in one process.
#pragma once

#include "actors/links/call_desk.hpp"
#include "actors/links/ledger_calls.hpp"
#include "actors/links/link_calls.hpp"
#include "actors/links/remote_ledger.hpp"
#include "storage/control_db.hpp"
#include "tests/links/support.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace ebb::links_test {

/// Answers calls from the database. What it does can be bent.
class control_side {
public:
  explicit control_side(const std::string& folder, std::uint64_t incarnation = 1)
      : database(take(control_db::open(folder + "/control"))), incarnation_(incarnation),
        loop_(take(link_loop::start())),
        server_(take(link_server::listen(*loop_, folder + "/links",
                                         [this](const link_pointer&) { return handlers(); }))) {}

  /// Instead of carrying out a call; true where it has done so.
  std::function<bool(const link_pointer&, const link_call&)> instead;
  /// Closes the connection when this many calls were carried out, without an answer.
  std::atomic<int> close_after = -1;
  std::atomic<int> carried_out = 0;
  control_db database;
  call_desk desk;

private:
  link_handlers handlers() {
    return {[this](const link_pointer& link, link_message&& x) {
              if (const auto* hello = std::get_if<worker_hello>(&x)) {
                session_ = hello->session;
                take(link->send(control_welcome{incarnation_, {}, {}}));
              } else if (const auto* call = std::get_if<link_call>(&x)) {
                called(link, *call);
              }
            },
            {}};
  }

  void called(const link_pointer& link, const link_call& call) {
    if (instead && instead(link, call))
      return;
    if (!desk.arrived(session_, link, call))
      return;
    auto outcome = answer_ledger_call(database, call.operation);
    ++carried_out;
    if (close_after > 0 && --close_after == 0)
      link->close(make_error(ec::io, "on purpose"));
    desk.done(session_, call.id, std::move(outcome));
  }

  std::uint64_t incarnation_;
  std::uint64_t session_ = 0;
  std::unique_ptr<link_loop> loop_;
  std::unique_ptr<link_server> server_;
};

class worker_side {
public:
  explicit worker_side(std::string folder, const call_limits& limits = {})
      : calls(std::make_shared<link_calls>(limits)), folder_(std::move(folder)),
        loop_(take(link_loop::start())) {}

  ~worker_side() {
    stop_keeping();
    calls->stop();
    loop_.reset();
  }

  worker_side(const worker_side&) = delete;
  worker_side& operator=(const worker_side&) = delete;

  /// Returns before the welcome.
  void connect() {
    auto made = take(connect_link(*loop_, folder_ + "/links",
                                  {[this](const link_pointer& from, link_message&& x) {
                                     if (const auto* welcome = std::get_if<control_welcome>(&x))
                                       calls->connected(from, welcome->incarnation);
                                     else if (auto* answer = std::get_if<call_answer>(&x))
                                       calls->answered(std::move(*answer));
                                   },
                                   [this](const link_pointer& from, const error&) {
                                     calls->disconnected(from);
                                     ++closed;
                                   }}));
    // May be lost already.
    static_cast<void>(made->send(worker_hello{"test", ::getpid(), "worker", 77, {}}));
    std::lock_guard guard(mutex_);
    link_ = std::move(made);
  }

  /// Connects again whenever the link is lost, until the returned handle goes.
  void keep_connected() {
    keeper_ = std::jthread([this](const std::stop_token& stop) {
      int known = -1;
      while (!stop.stop_requested()) {
        if (known != closed) {
          known = closed;
          connect();
        }
        std::this_thread::sleep_for(1ms);
      }
    });
  }

  void stop_keeping() {
    keeper_ = std::jthread();
  }

  [[nodiscard]] remote_ledger ledger(std::chrono::milliseconds patience = 20s) {
    return {calls, {"uid-1", 1}, patience};
  }

  [[nodiscard]] link_pointer link() {
    std::lock_guard guard(mutex_);
    return link_;
  }

  std::shared_ptr<link_calls> calls;
  std::atomic<int> closed = 0;

private:
  std::string folder_;
  std::mutex mutex_;
  link_pointer link_;
  std::unique_ptr<link_loop> loop_;
  std::jthread keeper_;
};

} // namespace ebb::links_test
