/// A worker's connection to the control process, over all the connections that it consists of.
#pragma once

#include "actors/links/link_calls.hpp"
#include "actors/links/link_connection.hpp"
#include "actors/service/worker/bell.hpp"
#include "actors/service/worker/topic_watches.hpp"
#include "schemas/link_records.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace ebb {

/// What the session is told. Called from the link's thread; must not block.
class session_listener {
public:
  virtual ~session_listener() = default;
  /// For the first message of a connection.
  virtual worker_hello hello() = 0;
  /// A control process has taken the worker: what is sent from now on goes to it.
  virtual void welcomed(const control_welcome& x) = 0;
  /// Any other message but answers of calls and moves of topics.
  virtual void received(link_message&& x) = 0;
  /// For people.
  virtual void note(log_level level, const std::string& text) = 0;
};

/// One thread calls `step`, any other the rest. Connects again for ever, at first after 10 ms, then
/// after twice as long each time, up to a second. A control process is refused whose incarnation is
/// lower than one that was seen.
class control_session {
public:
  using clock = std::chrono::steady_clock;
  /// Makes a connection; may block for a few seconds.
  using connector = std::function<result<link_pointer>(link_handlers)>;

  /// `calls` go over it; `wake` is rung when a connection has come or gone. It, the listener and
  /// the bell outlive its connections and the handles of watches.
  control_session(connector connect, session_listener& listener, const bell& wake,
                  std::shared_ptr<link_calls> calls, clock::time_point now);

  /// Does what is due at `now`.
  void step(clock::time_point now);

  /// When to call it next without being rung; nothing = no need.
  [[nodiscard]] std::optional<clock::time_point> next() const;

  /// ec::io where there is no control process: what is to be said is said after the next welcome. A
  /// link that is full is closed, so that the next one begins anew.
  result<void> send(const link_message& x);

  [[nodiscard]] bool linked() const;

  /// Incarnation of the control process that there is or was the last; 0 = none yet.
  [[nodiscard]] std::uint64_t incarnation() const;

  /// Since when there is none; nothing where there is one.
  [[nodiscard]] std::optional<clock::time_point> alone_since() const;

  /// Closes it when what waits is sent, and connects no more.
  void finish();
  /// A connection is open, welcomed or not.
  [[nodiscard]] bool has_link() const;

  [[nodiscard]] const std::shared_ptr<topic_watches>& watches() const noexcept {
    return watches_;
  }

private:
  enum class state : std::uint8_t { none, greeting, linked };

  void receive(const link_pointer& link, link_message&& x);
  void welcome(const link_pointer& link, const control_welcome& x);
  void closed(const link_pointer& link, const error& why);

  const connector connect_;
  session_listener& listener_;
  const bell& bell_;
  const std::shared_ptr<link_calls> calls_;
  const std::shared_ptr<topic_watches> watches_;

  mutable std::mutex mutex_; ///< guards what follows
  link_pointer link_;
  state state_ = state::none;
  clock::time_point due_;         ///< none: next attempt; greeting: the welcome is late
  clock::time_point alone_since_; ///< where not linked
  std::chrono::milliseconds pause_;
  std::uint64_t incarnation_ = 0;
  bool finishing_ = false;
};

} // namespace ebb
