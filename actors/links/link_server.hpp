/// Where links begin: a server that listens on a unix socket, and a way to connect to it.
#pragma once

#include "actors/links/link_connection.hpp"
#include "actors/links/link_loop.hpp"
#include "schemas/error.hpp"

#include <functional>
#include <memory>
#include <string>

namespace ebb {

class link_server {
public:
  /// On the loop's thread, for each new connection, before anything is read from it.
  using accept_function = std::function<link_handlers(const link_pointer&)>;

  /// Listens on `path`, which only this user can open (mode 0600); what a dead process has left
  /// there is replaced. Processes of other users are turned away, and those beyond
  /// `link_options::connections`.
  /// ec::invalid_argument: the path is too long for a socket; ec::conflict: another process listens
  /// there, or it is no socket; ec::io.
  [[nodiscard]] static result<std::unique_ptr<link_server>>
  listen(link_loop& loop, const std::string& path, accept_function accept);

  /// Takes no new connections and removes the path; those that it has stay. `accept` is not running
  /// any more when it returns.
  ~link_server();
  link_server(const link_server&) = delete;
  link_server& operator=(const link_server&) = delete;

  class listener; ///< link_server.cpp

private:
  link_server(link_loop& loop, std::shared_ptr<listener> made);

  link_loop& loop_;
  std::shared_ptr<listener> listener_;
};

/// Connects to the server at `path`; a handler may run before this returns. Blocks for two seconds
/// at most. ec::not_found: nobody listens there; ec::conflict: a process of another user does;
/// ec::invalid_argument: the path is too long; ec::io.
[[nodiscard]] result<link_pointer> connect_link(link_loop& loop, const std::string& path,
                                                link_handlers handlers);

} // namespace ebb
