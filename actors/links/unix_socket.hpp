/// Unix sockets between processes of one user.
#pragma once

#include "actors/links/link_connection.hpp"
#include "schemas/error.hpp"

#include <string>
#include <utility>

namespace ebb {

/// A descriptor that is closed when its owner goes. -1 = none.
class socket_handle {
public:
  socket_handle() = default;

  explicit socket_handle(int number) : number_(number) {}

  socket_handle(socket_handle&& other) noexcept : number_(std::exchange(other.number_, -1)) {}

  socket_handle& operator=(socket_handle&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }

  ~socket_handle();

  [[nodiscard]] int get() const noexcept {
    return number_;
  }

  [[nodiscard]] int release() noexcept {
    return std::exchange(number_, -1);
  }

private:
  int number_ = -1;
};

// All sockets are closed in programs that this process starts.

/// Errors are those of `link_server::listen`.
[[nodiscard]] result<socket_handle> listen_at(const std::string& path);

/// Does not block in later use. Errors are those of `connect_link`.
[[nodiscard]] result<socket_handle> connect_to(const std::string& path);

/// The next one that waits at `listening`; -1 and errno where there is none.
[[nodiscard]] socket_handle accept_from(int listening);

/// Who had opened the other end. ec::conflict: another user.
[[nodiscard]] result<link_peer> peer_of(int socket);

} // namespace ebb
