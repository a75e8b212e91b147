/// What lies between the service, on any thread, and the connection, on the server's.
#pragma once

#include "actors/gateway/http_reply.hpp"
#include "actors/gateway/loop_door.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace ebb {

/// Of one request. Thread-safe.
class reply_channel {
public:
  /// `wake` is called on the server's thread when take() has something new.
  reply_channel(std::shared_ptr<loop_door> door, std::function<void()> wake,
                std::size_t buffer_max);

  // The service's side.

  /// The first call wins. `begins` = a stream, whose body follows.
  void answer(http_response what, bool begins);
  [[nodiscard]] http_stream::taken write(std::string bytes);
  void on_ready(std::function<void()> call);
  void end();
  void on_closed(std::function<void()> call);
  [[nodiscard]] bool closed() const noexcept;

  /// No handle is left: what was not answered is 500, what was not ended is cut.
  void abandon();

  // The connection's side.

  struct news {
    std::optional<http_response> answer; ///< once
    bool begins = false;                 ///< of the answer
    std::string bytes;                   ///< of the stream
    bool ended = false;                  ///< and nothing comes after them
    bool cut = false;
  };

  [[nodiscard]] news take();

  /// News are only kept until the next take(), which the connection is about to call itself.
  void hold();

  /// Bytes of take() are with the socket.
  void sent(std::size_t bytes);

  /// Nothing reaches the client from now on; tells the service.
  void close();

  /// The answer is complete: as close(), but nobody is told.
  void finish();

private:
  void wake(std::unique_lock<std::mutex>& guard);
  [[nodiscard]] std::function<void()> ready_call();

  mutable std::mutex mutex_;
  std::shared_ptr<loop_door> door_;
  std::function<void()> wake_;
  std::size_t buffer_max_;
  std::optional<http_response> answer_;
  std::string pending_;
  std::size_t unsent_ = 0; ///< pending, or taken and not sent
  std::function<void()> on_ready_;
  std::function<void()> on_closed_;
  bool answered_ = false;
  bool begins_ = false;
  bool ended_ = false;
  bool cut_ = false;
  bool closed_ = false;
  bool woken_ = false; ///< a wake is on its way, or held
  bool full_ = false;  ///< the last write found no room
};

/// What the handles share; when it goes, nobody can answer any more.
class reply_state {
public:
  explicit reply_state(std::shared_ptr<reply_channel> to) : channel(std::move(to)) {}

  ~reply_state() {
    channel->abandon();
  }

  reply_state(const reply_state&) = delete;
  reply_state& operator=(const reply_state&) = delete;

  const std::shared_ptr<reply_channel> channel;
  /// What a problem of the client's is about that names nothing itself. Written before the service
  /// has the reply.
  std::string about;
};

/// A problem as it is sent.
[[nodiscard]] http_response response_of(const http_problem& problem);

} // namespace ebb
