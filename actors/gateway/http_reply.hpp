/// How a request is answered: at once or later, from any thread, whole or as a stream.
#pragma once

#include "actors/gateway/problem.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

class reply_state;

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_response {
  int status = 200;
  std::string content_type; ///< empty = no body
  std::string body;
  http_headers headers = {}; ///< besides those of framing, type and connection
};

/// The body of an answer that goes on. A cheap handle, copies mean the same stream; thread-safe.
/// When the last copy goes without end(), the connection is cut, so that nobody takes a part for
/// the whole.
class http_stream {
public:
  enum class taken {
    all,    ///< the bytes are on their way
    full,   ///< nothing was taken: the client reads slowly; again after on_ready
    closed, ///< nothing was taken: the client is gone or the server stops; give up
  };

  explicit http_stream(std::shared_ptr<reply_state> state) : state_(std::move(state)) {}

  /// At most stream_buffer_bytes (http_server.hpp) wait unsent; a larger piece is taken only when
  /// nothing waits.
  [[nodiscard]] taken write(std::string bytes);

  /// `call` comes once, as soon as there is room after a write that found none; at once where there
  /// is. On the server's thread: it must not block and should only send a message.
  void on_ready(std::function<void()> call);

  /// What was written is sent, then the body ends.
  void end();

private:
  std::shared_ptr<reply_state> state_;
};

/// The right to answer one request. A cheap handle, copies mean the same request, so it may be part
/// of an actor's message; thread-safe. The first answer counts, later ones do nothing. When the
/// last copy goes without an answer, the client gets 500.
class http_reply {
public:
  explicit http_reply(std::shared_ptr<reply_state> state) : state_(std::move(state)) {}

  void send(http_response answer) const;
  /// A problem of the client's (4xx) without a field gets that of `about`.
  void fail(const http_problem& problem) const;
  void fail(const error& problem) const;

  /// `path.stream`: what is to blame if nothing else is. By the first who has the reply.
  void about(std::string field) const;

  /// `body` as application/json.
  void json(int status, std::string body) const;

  /// Begins an answer whose body follows. Server-sent events get a comment every 15 s in which
  /// nothing is written.
  [[nodiscard]] http_stream stream(int status, std::string content_type,
                                   http_headers headers = {}) const;

  /// `call` comes once, when the client is gone before the answer is complete, when the server
  /// stops while a stream is open, or when the service took too long; at once if that has happened.
  /// On the server's thread: it must not block.
  void on_closed(std::function<void()> call) const;

  /// Whether an answer would still reach somebody.
  [[nodiscard]] bool closed() const noexcept;

private:
  std::shared_ptr<reply_state> state_;
};

} // namespace ebb
