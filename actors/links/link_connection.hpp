/// A link between two processes: messages both ways, in order, and heartbeats.
///
/// Limits. A message is at most `link_message_max` bytes: callers divide what is larger. What waits
/// to be sent is bounded in bytes; then `send` fails and the caller decides. Messages keep their
/// order; heartbeats alone go before what waits, between two messages, so that at most one message
/// is ahead of them. Any byte that arrives counts as life, so a long message is no silence.
#pragma once

#include "actors/links/link_credential.hpp"
#include "schemas/error.hpp"
#include "schemas/link_records.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

struct link_options {
  /// Sent when nothing else was for so long.
  std::chrono::milliseconds heartbeat{500};
  /// Nothing heard for so long: the other side is dead or frozen. Counted in heartbeats of this
  /// process, so that one that was stopped itself does not blame the others.
  std::chrono::milliseconds silence{2000};
  /// What may wait in one connection.
  std::size_t queue_bytes = std::size_t{64} << 20;
  /// Of one server.
  std::size_t connections = 1024;
};

/// Who is at the other end.
struct link_peer {
  std::int64_t pid = 0; ///< 0 = not known
  std::uint32_t user = 0;
  std::string name; ///< for people
};

/// Thread-safe. Held by its loop while it is open.
class link_connection {
public:
  virtual ~link_connection() = default;

  /// ec::resource: what waits has reached its bound, try later; ec::unsupported: the message is
  /// too large; ec::io: the link is closed. Success says nothing about the other side.
  [[nodiscard]] virtual result<void> send(const link_message& x) = 0;

  /// Closes at once; what waits is dropped. `why` is what the handler is told. Doing it again does
  /// nothing.
  virtual void close(error why) = 0;

  /// Closes when what waits is sent, or has waited for as long as silence is borne. Nothing more
  /// can be sent.
  virtual void finish() = 0;

  [[nodiscard]] virtual bool open() const noexcept = 0;

  /// Bytes that wait to be sent.
  [[nodiscard]] virtual std::size_t waiting() const noexcept = 0;

  [[nodiscard]] virtual const link_peer& peer() const noexcept = 0;

  /// What the other side's certificate says; for handlers of messages. Names nobody where there is
  /// none, and where it names none.
  [[nodiscard]] virtual const link_credential& shown() const noexcept {
    static const link_credential nobody;
    return nobody;
  }
};

using link_pointer = std::shared_ptr<link_connection>;

/// Called on the loop's thread: they must not block. They go when the connection is closed.
struct link_handlers {
  /// Everything but heartbeats, in order; nothing after `closed`.
  std::function<void(const link_pointer&, link_message&&)> message;
  /// Once.
  std::function<void(const link_pointer&, const error& why)> closed;
};

} // namespace ebb
