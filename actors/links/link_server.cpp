#include "actors/links/link_server.hpp"

#include "actors/links/link_core.hpp"
#include "actors/links/socket_link.hpp"
#include "actors/links/unix_socket.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace ebb {

using boost::system::error_code;

// Lives on the loop's thread.
class link_server::listener : public std::enable_shared_from_this<listener> {
public:
  listener(link_core& core, socket_handle socket, std::string path, accept_function accept)
      : core_(core), path_(std::move(path)), accept_(std::move(accept)),
        socket_(core.io, socket.release()), again_(core.io) {
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
    auto peer = peer_of(socket.get());
    if (!peer || *open_ >= core_.options.connections)
      return;
    const auto number = socket.get();
    auto made = std::make_shared<socket_link>(core_, std::move(socket), plain_stream(number),
                                              *std::move(peer));
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
  const std::string path_;
  accept_function accept_;
  descriptor socket_;
  boost::asio::steady_timer again_;
  std::shared_ptr<std::size_t> open_ = std::make_shared<std::size_t>(0);
  bool listening_ = true;
};

link_server::link_server(link_loop& loop, std::shared_ptr<listener> made)
    : loop_(loop), listener_(std::move(made)) {}

result<std::unique_ptr<link_server>> link_server::listen(link_loop& loop, const std::string& path,
                                                         accept_function accept) {
  EBB_ASSIGN(auto socket, listen_at(path));
  auto made = std::make_shared<listener>(loop.core(), std::move(socket), path, std::move(accept));
  boost::asio::post(loop.core().io, [made] { made->wait(); });
  return std::unique_ptr<link_server>(new link_server(loop, std::move(made)));
}

link_server::~link_server() {
  loop_.core().run_there([this] { listener_->stop(); });
}

result<link_pointer> connect_link(link_loop& loop, const std::string& path,
                                  link_handlers handlers) {
  EBB_ASSIGN(auto socket, connect_to(path));
  EBB_ASSIGN(auto peer, peer_of(socket.get()));
  const auto number = socket.get();
  const auto flags = ::fcntl(number, F_GETFL);
  ::fcntl(number, F_SETFL, flags | O_NONBLOCK);
  auto made = std::make_shared<socket_link>(loop.core(), std::move(socket), plain_stream(number),
                                            std::move(peer));
  made->handlers = std::move(handlers);
  boost::asio::post(loop.core().io, [made] { made->begin(); });
  return link_pointer(std::move(made));
}

} // namespace ebb
