/// A connection to a service: TCP, with TLS where the endpoint says so.
#pragma once

#include "tools/client/endpoint.hpp"
#include "tools/client/interrupt.hpp"
#include "tools/client/tls_choice.hpp"

#include <string_view>

namespace ebb::client {

/// Blocking calls with a deadline, which Ctrl-C ends. One thread at a time. Errors: ec::io, also
/// when the time is over; ec::cancelled; ec::invalid_argument for a certificate that is not
/// trusted.
class connection {
public:
  [[nodiscard]] static result<connection> open(const endpoint& to, const tls_choice& choice,
                                               deadline until);

  connection(connection&& other) noexcept;
  connection& operator=(connection&& other) noexcept;
  ~connection();

  /// Some bytes, at least one; 0 at the end.
  [[nodiscard]] result<std::size_t> read(char* to, std::size_t size, deadline until);

  /// All of it.
  [[nodiscard]] result<void> write(std::string_view bytes, deadline until);

  /// Whether the peer has ended it, or has sent what nobody asked for, since the last answer.
  [[nodiscard]] bool stale() const noexcept;

private:
  explicit connection(int socket) : socket_(socket) {}

  [[nodiscard]] result<void> shake_hands(const endpoint& to, const tls_choice& choice,
                                         deadline until);
  /// Waits for what TLS needs; false where the session has failed.
  [[nodiscard]] result<bool> wait_after(int returned, deadline until);

  int socket_ = -1;
  tls_context context_;
  tls_session session_;
};

} // namespace ebb::client
