/// TCP sockets between machines.
#pragma once

#include "actors/links/link_connection.hpp"
#include "actors/links/link_server.hpp"
#include "actors/links/unix_socket.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace ebb {

// All sockets are closed in programs that this process starts, and send small pieces at once.

/// Errors are those of `link_server::listen`.
[[nodiscard]] result<socket_handle> listen_at(const link_place& place);

/// The port that it listens on.
[[nodiscard]] std::uint16_t port_of(int socket);

/// Does not block in later use. Errors are those of `connect_link`.
[[nodiscard]] result<socket_handle> connect_to(const link_place& place);

/// Address and port of the other end; makes it send small pieces at once.
[[nodiscard]] link_peer greet_tcp(int socket);

} // namespace ebb
