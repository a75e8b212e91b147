/// Bytes to and from a socket that never blocks: what lies below a link, in the clear or by TLS.
#pragma once

#include "actors/links/link_credential.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>

struct iovec;

namespace ebb {

class link_stream {
public:
  enum class outcome { moved, want_read, want_write, ended, failed };

  struct step {
    outcome what = outcome::failed;
    std::size_t bytes = 0;
  };

  virtual ~link_stream() = default;

  /// `moved` when it is complete; at once where there is none.
  [[nodiscard]] virtual step handshake() = 0;
  [[nodiscard]] virtual step read(std::span<std::byte> to) = 0;

  /// Takes of the pieces, in order, as much as goes; `bytes` says how much, also with `want_write`.
  [[nodiscard]] virtual step write(std::span<const iovec> pieces) = 0;

  /// Bytes were taken that the socket has not: `write` again, with or without more.
  [[nodiscard]] virtual bool holds_bytes() const noexcept = 0;

  /// What the last failure was.
  [[nodiscard]] virtual std::string problem() const = 0;

  /// What the other side's certificate says; empty before hands are shaken, and without TLS.
  [[nodiscard]] virtual link_credential shown() const {
    return {};
  }

  /// Reading and writing change the same state: one at a time.
  [[nodiscard]] virtual bool exclusive() const noexcept = 0;
};

/// The socket belongs to the caller, and outlives it.
[[nodiscard]] std::unique_ptr<link_stream> plain_stream(int socket);

} // namespace ebb
