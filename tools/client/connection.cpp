#include "tools/client/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace ebb::client {

namespace {

error too_late() {
  return make_error(ec::io, "the service did not answer in time",
                    "it may be busy, or another program listens there; --request-timeout gives "
                    "it longer");
}

error refused(const endpoint& to, int code) {
  const auto why = std::string(": ") + std::strerror(code);
  if (code != ECONNREFUSED)
    return make_error(ec::io, "cannot reach the service at " + url_of(to) + why,
                      "check --server, EBB_SERVER and ebb context list");
  return make_error(ec::io, "no service listens at " + url_of(to) + why,
                    is_loopback(to) ? "start one with: ebb up"
                                    : "start one there with: ebb up --listen ADDRESS; or name "
                                      "another with --server, EBB_SERVER or ebb context use");
}

/// A socket that has connected; an errno else.
result<int> connect_to(const addrinfo& address, const endpoint& to, deadline until) {
  const int made = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0)
    return refused(to, errno);
  int code = 0;
  if (::connect(made, address.ai_addr, address.ai_addrlen) != 0) {
    code = errno;
    if (code == EINPROGRESS) {
      const auto ready = wait_for(made, readiness::writable, until);
      if (!ready || !*ready) {
        ::close(made);
        return ready ? refused(to, ETIMEDOUT) : ready.error();
      }
      socklen_t size = sizeof code;
      ::getsockopt(made, SOL_SOCKET, SO_ERROR, &code, &size);
    }
  }
  if (code != 0) {
    ::close(made);
    return refused(to, code);
  }
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // A follower that hears nothing for hours must notice that the other end is gone.
  ::setsockopt(made, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return made;
}

} // namespace

result<connection> connection::open(const endpoint& to, const tls_choice& choice, deadline until) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed =
      ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &wanted, &found);
  if (failed != 0)
    return make_error(ec::io, "cannot find the host " + to.host + ": " + ::gai_strerror(failed),
                      "check --server, EBB_SERVER and ebb context list");
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all{found, ::freeaddrinfo};
  result<int> socket = make_error(ec::io, "the host " + to.host + " has no address");
  for (const auto* x = found; x != nullptr; x = x->ai_next) {
    socket = connect_to(*x, to, until);
    if (socket || socket.error().code == ec::cancelled)
      break;
  }
  if (!socket)
    return std::move(socket).error();
  connection made(*socket);
  if (to.tls)
    EBB_TRY(made.shake_hands(to, choice, until));
  return made;
}

connection::connection(connection&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), context_(std::move(other.context_)),
      session_(std::move(other.session_)) {}

connection& connection::operator=(connection&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(context_, other.context_);
  std::swap(session_, other.session_);
  return *this;
}

connection::~connection() {
  session_.reset();
  if (socket_ >= 0)
    ::close(socket_);
}

result<void> connection::shake_hands(const endpoint& to, const tls_choice& choice, deadline until) {
  EBB_ASSIGN(context_, make_context(choice));
  EBB_ASSIGN(session_, make_session(context_.get(), socket_, to.host));
  for (;;) {
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    if (done == 1)
      return check_peer(session_.get(), choice, to.host);
    EBB_ASSIGN(const bool goes_on, wait_after(done, until));
    if (!goes_on)
      return handshake_error(to.host);
  }
}

result<bool> connection::wait_after(int returned, deadline until) {
  const int wanted = SSL_get_error(session_.get(), returned);
  if (wanted != SSL_ERROR_WANT_READ && wanted != SSL_ERROR_WANT_WRITE)
    return false;
  EBB_ASSIGN(const bool ready,
             wait_for(socket_,
                      wanted == SSL_ERROR_WANT_READ ? readiness::readable : readiness::writable,
                      until));
  if (!ready)
    return too_late();
  return true;
}

result<std::size_t> connection::read(char* to, std::size_t size, deadline until) {
  if (session_ != nullptr) {
    for (;;) {
      ERR_clear_error();
      const int got =
          SSL_read(session_.get(), to, static_cast<int>(std::min<std::size_t>(size, INT_MAX)));
      if (got > 0)
        return static_cast<std::size_t>(got);
      if (SSL_get_error(session_.get(), got) == SSL_ERROR_ZERO_RETURN)
        return std::size_t{0};
      EBB_ASSIGN(const bool goes_on, wait_after(got, until));
      if (!goes_on)
        return make_error(ec::io, "the connection was cut");
    }
  }
  for (;;) {
    const auto got = ::recv(socket_, to, size, 0);
    if (got >= 0)
      return static_cast<std::size_t>(got);
    if (errno != EAGAIN && errno != EINTR)
      return make_error(ec::io, std::string("the connection was cut: ") + std::strerror(errno));
    EBB_ASSIGN(const bool ready, wait_for(socket_, readiness::readable, until));
    if (!ready)
      return too_late();
  }
}

result<void> connection::write(std::string_view bytes, deadline until) {
  while (!bytes.empty()) {
    if (session_ != nullptr) {
      ERR_clear_error();
      const int put = SSL_write(session_.get(), bytes.data(),
                                static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
      if (put > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(put));
        continue;
      }
      EBB_ASSIGN(const bool goes_on, wait_after(put, until));
      if (!goes_on)
        return make_error(ec::io, "the connection was cut");
      continue;
    }
    const auto put = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(put));
      continue;
    }
    if (errno != EAGAIN && errno != EINTR)
      return make_error(ec::io, std::string("the connection was cut: ") + std::strerror(errno));
    EBB_ASSIGN(const bool ready, wait_for(socket_, readiness::writable, until));
    if (!ready)
      return too_late();
  }
  return {};
}

bool connection::stale() const noexcept {
  pollfd one{socket_, POLLIN, 0};
  // With TLS 1.3 a ticket may lie there, which is no reason to connect anew.
  if (::poll(&one, 1, 0) == 0)
    return false;
  if (session_ == nullptr)
    return true;
  char byte = 0;
  return ::recv(socket_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0;
}

} // namespace ebb::client
