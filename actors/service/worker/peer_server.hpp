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
  /// Listens on a port that is free, by TLS, with identities of the worker side. `address`: the
  /// host that others reach this machine by.
  [[nodiscard]] static result<std::unique_ptr<peer_server>>
  listen(link_loop& loop, const std::string& address,
         std::shared_ptr<const link_identity> identity);
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
  std::shared_ptr<const link_identity> identity_;
  std::string address_;
  std::unique_ptr<link_server> server_;
};

} // namespace ebb
