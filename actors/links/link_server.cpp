#include "actors/links/link_server.hpp"

#include "actors/links/link_core.hpp"
#include "actors/links/socket_link.hpp"
#include "actors/links/tcp_socket.hpp"
#include "actors/links/tls_stream.hpp"
#include "actors/links/unix_socket.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <unistd.h>
#include <utility>

namespace ebb {

using boost::system::error_code;

namespace {

// What a new socket becomes; an error where it is turned away.
using socket_welcome =
    std::function<result<std::pair<std::unique_ptr<link_stream>, link_peer>>(int socket)>;

result<std::pair<std::unique_ptr<link_stream>, link_peer>> welcome_here(int socket) {
  EBB_ASSIGN(auto peer, peer_of(socket));
  return std::pair(plain_stream(socket), std::move(peer));
}

socket_welcome welcome_by_tls(link_server::identity_function identity, tls_role role,
                              link_side other) {
  return [identity = std::move(identity), role,
          other](int socket) -> result<std::pair<std::unique_ptr<link_stream>, link_peer>> {
    return std::pair(tls_stream(socket, identity(), role, other), greet_tcp(socket));
  };
}

link_server::identity_function always(std::shared_ptr<const link_identity> identity) {
  return [identity = std::move(identity)] { return identity; };
}

result<link_pointer> begin(link_loop& loop, socket_handle socket, const socket_welcome& welcome,
                           link_handlers handlers) {
  EBB_ASSIGN(auto known, welcome(socket.get()));
  auto made = std::make_shared<socket_link>(loop.core(), std::move(socket), std::move(known.first),
                                            std::move(known.second));
  made->handlers = std::move(handlers);
  boost::asio::post(loop.core().io, [made] { made->begin(); });
  return link_pointer(std::move(made));
}

} // namespace

// Lives on the loop's thread.
class link_server::listener : public std::enable_shared_from_this<listener> {
public:
  listener(link_core& core, socket_handle socket, std::string path, socket_welcome welcome,
           accept_function accept)
      : core_(core), path_(std::move(path)), welcome_(std::move(welcome)),
        accept_(std::move(accept)), socket_(core.io, socket.release()), again_(core.io) {
    socket_.non_blocking(true);
  }

  void wait() {
    socket_.async_wait(descriptor::wait_read, [self = shared_from_this()](const error_code& x) {
      if (!x && self->listening_)
        self->take_some();
    });
  }

  void stop() {
    if (!std::exchange(listening_, false))
      return;
    if (!path_.empty())
      ::unlink(path_.c_str());
    socket_.close();
    again_.cancel();
    accept_ = {};
  }

private:
  using descriptor = boost::asio::posix::stream_descriptor;

  void take_some() {
    while (listening_) {
      auto socket = accept_from(socket_.native_handle());
      if (socket.get() >= 0) {
        admit(std::move(socket));
        continue;
      }
      if (errno == EINTR || errno == ECONNABORTED)
        continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        wait();
        return;
      }
      // No more files may be open: those who wait are taken later.
      again_.expires_after(std::chrono::milliseconds(100));
      again_.async_wait([self = shared_from_this()](const error_code& x) {
        if (!x && self->listening_)
          self->wait();
      });
      return;
    }
  }

  void admit(socket_handle socket) {
    if (*open_ >= core_.options.connections)
      return;
    auto known = welcome_(socket.get());
    if (!known)
      return;
    auto made = std::make_shared<socket_link>(core_, std::move(socket), std::move(known->first),
                                              std::move(known->second));
    made->handlers = accept_(made);
    ++*open_;
    made->handlers.closed = [open = open_, then = std::move(made->handlers.closed)](
                                const link_pointer& link, const error& why) {
      --*open;
      if (then)
        then(link, why);
    };
    made->begin();
  }

  link_core& core_;
  const std::string path_; ///< to be removed; empty = none
  const socket_welcome welcome_;
  accept_function accept_;
  descriptor socket_;
  boost::asio::steady_timer again_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
  bool listening_ = true;
};

link_server::link_server(link_loop& loop, std::shared_ptr<listener> made, std::uint16_t port)
    : loop_(loop), listener_(std::move(made)), port_(port) {
  boost::asio::post(loop.core().io, [first = listener_] { first->wait(); });
}

result<std::unique_ptr<link_server>> link_server::listen(link_loop& loop, const std::string& path,
                                                         accept_function accept) {
  EBB_ASSIGN(auto socket, listen_at(path));
  auto made = std::make_shared<listener>(loop.core(), std::move(socket), path, welcome_here,
                                         std::move(accept));
  return std::unique_ptr<link_server>(new link_server(loop, std::move(made), 0));
}

result<std::unique_ptr<link_server>>
link_server::listen(link_loop& loop, const link_place& place,
                    std::shared_ptr<const link_identity> identity, accept_function accept) {
  return listen(loop, place, always(std::move(identity)), std::move(accept));
}

result<std::unique_ptr<link_server>> link_server::listen(link_loop& loop, const link_place& place,
                                                         identity_function identity,
                                                         accept_function accept) {
  EBB_ASSIGN(auto socket, listen_at(place));
  const auto port = port_of(socket.get());
  auto made = std::make_shared<listener>(
      loop.core(), std::move(socket), std::string(),
      welcome_by_tls(std::move(identity), tls_role::server, link_side::worker), std::move(accept));
  return std::unique_ptr<link_server>(new link_server(loop, std::move(made), port));
}

link_server::~link_server() {
  loop_.core().run_there([this] { listener_->stop(); });
}

result<link_pointer> connect_link(link_loop& loop, const std::string& path,
                                  link_handlers handlers) {
  EBB_ASSIGN(auto socket, connect_to(path));
  return begin(loop, std::move(socket), welcome_here, std::move(handlers));
}

result<link_pointer> connect_link(link_loop& loop, const link_place& place,
                                  std::shared_ptr<const link_identity> identity,
                                  link_handlers handlers, link_side other) {
  EBB_ASSERT(identity->side() == link_side::worker);
  EBB_ASSIGN(auto socket, connect_to(place));
  return begin(loop, std::move(socket),
               welcome_by_tls(always(std::move(identity)), tls_role::client, other),
               std::move(handlers));
}

} // namespace ebb
