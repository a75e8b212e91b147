/// Where links begin: servers, and ways to connect to them. Unix sockets within a machine, TLS with
/// certificates of both sides between machines.
#pragma once

#include "actors/links/link_connection.hpp"
#include "actors/links/link_identity.hpp"
#include "actors/links/link_loop.hpp"
#include "actors/links/link_place.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

class link_server {
public:
  /// On the loop's thread, for each new connection, before anything is read from it. By TLS it is
  /// not known yet who it is; a stranger's is closed without a message.
  using accept_function = std::function<link_handlers(const link_pointer&)>;
  using identity_function = std::function<std::shared_ptr<const link_identity>()>;

  /// Listens on `path`, which only this user can open (mode 0600); what a dead process has left
  /// there is replaced. Processes of other users are turned away, and those beyond
  /// `link_options::connections`.
  /// ec::invalid_argument: the path is too long for a socket; ec::conflict: another process listens
  /// there, or it is no socket; ec::io.
  [[nodiscard]] static result<std::unique_ptr<link_server>>
  listen(link_loop& loop, const std::string& path, accept_function accept);

  /// Listens for workers of other machines; port 0 = one that is free. `identity` is that of either
  /// side. ec::invalid_argument: no such address; ec::conflict: another program has the
  /// port; ec::io.
  [[nodiscard]] static result<std::unique_ptr<link_server>>
  listen(link_loop& loop, const link_place& place, std::shared_ptr<const link_identity> identity,
         accept_function accept);
  /// The same with an identity that may be another one for each connection; asked for on the loop's
  /// thread.
  [[nodiscard]] static result<std::unique_ptr<link_server>> listen(link_loop& loop,
                                                                   const link_place& place,
                                                                   identity_function identity,
                                                                   accept_function accept);

  /// 0 for a unix socket.
  [[nodiscard]] std::uint16_t port() const noexcept {
    return port_;
  }

  /// Takes no new connections and removes the path; those that it has stay. `accept` is not running
  /// any more when it returns.
  ~link_server();
  link_server(const link_server&) = delete;
  link_server& operator=(const link_server&) = delete;

  class listener; ///< link_server.cpp

private:
  link_server(link_loop& loop, std::shared_ptr<listener> made, std::uint16_t port);

  link_loop& loop_;
  std::shared_ptr<listener> listener_;
  std::uint16_t port_;
};

/// The address that this machine has on its way to `place`. Blocks where a name must be looked up.
/// ec::invalid_argument: no such address; ec::io: no way there.
[[nodiscard]] result<std::string> address_towards(const link_place& place);

/// Connects to the server at `path`; a handler may run before this returns. Blocks for two seconds
/// at most. ec::not_found: nobody listens there; ec::conflict: a process of another user does;
/// ec::invalid_argument: the path is too long; ec::io.
[[nodiscard]] result<link_pointer> connect_link(link_loop& loop, const std::string& path,
                                                link_handlers handlers);

/// The same to another machine, with the identity of the worker side. Who the other side is shows
/// later: where it is not of side `other` the connection closes (ec::io), and no message comes.
[[nodiscard]] result<link_pointer> connect_link(link_loop& loop, const link_place& place,
                                                std::shared_ptr<const link_identity> identity,
                                                link_handlers handlers,
                                                link_side other = link_side::control);

} // namespace ebb
