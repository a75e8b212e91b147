/// Connections between workers, over links.
#pragma once

#include "actors/links/link_loop.hpp"
#include "actors/links/link_server.hpp"
#include "actors/service/hosting/peer_desk.hpp"

#include <memory>
#include <string>

namespace ebb {

class peer_server final : public peer_desk {
public:
  /// Listens on a unix socket. The loop outlives it.
  [[nodiscard]] static result<std::unique_ptr<peer_server>> listen(link_loop& loop,
                                                                   const std::string& path);
  /// Listens on a port that is free, by TLS, with the identity of the worker side that there is at
  /// the time; from any thread. `address`: the host that others reach this machine by. Where
  /// certificates name streams, workers of other streams are turned away.
  [[nodiscard]] static result<std::unique_ptr<peer_server>>
  listen(link_loop& loop, const std::string& address, link_server::identity_function identity);
  ~peer_server() override;

  /// For `dial` of others: a path, or HOST:PORT.
  [[nodiscard]] const std::string& address() const noexcept {
    return address_;
  }

  result<std::shared_ptr<peer_channel>> dial(const std::string& address, const peer_hello& hello,
                                             peer_inbox take) override;
  std::shared_ptr<void> expect(const peer_hello& to, arrived_function arrived) override;

private:
  struct desk;
  class connection;

  explicit peer_server(link_loop& loop);
  [[nodiscard]] link_handlers accept();

  link_loop& loop_;
  const std::shared_ptr<desk> desk_;
  link_server::identity_function identity_;
  std::string address_;
  std::unique_ptr<link_server> server_;
};

} // namespace ebb
