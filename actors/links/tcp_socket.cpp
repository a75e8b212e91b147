#include "actors/links/tcp_socket.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace ebb {

namespace {

constexpr int backlog = 128;
constexpr int connect_milliseconds = 2000;

struct free_addresses {
  void operator()(addrinfo* x) const noexcept {
    ::freeaddrinfo(x);
  }
};

std::string text_of(const link_place& place) {
  const bool is_v6 = place.address.find(':') != std::string::npos;
  return (is_v6 ? '[' + place.address + ']' : place.address) + ':' + std::to_string(place.port);
}

result<std::unique_ptr<addrinfo, free_addresses>> find(const link_place& place, int flags) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const auto problem =
      ::getaddrinfo(place.address.c_str(), std::to_string(place.port).c_str(), &wanted, &found);
  if (problem != 0 || found == nullptr)
    return make_error(ec::invalid_argument,
                      "cannot find the address " + place.address + ": " + ::gai_strerror(problem),
                      "give an address such as 10.0.0.1 or ::1, or a name that resolves");
  return std::unique_ptr<addrinfo, free_addresses>(found);
}

error failed(const link_place& place, const char* what, int number) {
  return make_error(
      ec::io, std::string("cannot ") + what + ' ' + text_of(place) + ": " + std::strerror(number),
      "check address and port, and what lies between the machines");
}

result<socket_handle> open_socket(const link_place& place, const addrinfo& at) {
  socket_handle made{::socket(at.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (made.get() < 0)
    return failed(place, "make a socket for", errno);
  return made;
}

void set(int socket, int level, int option) {
  const int on = 1;
  ::setsockopt(socket, level, option, &on, sizeof on);
}

} // namespace

result<socket_handle> listen_at(const link_place& place) {
  EBB_ASSIGN(const auto at, find(place, AI_PASSIVE));
  EBB_ASSIGN(auto made, open_socket(place, *at));
  set(made.get(), SOL_SOCKET, SO_REUSEADDR);
  if (::bind(made.get(), at->ai_addr, at->ai_addrlen) != 0 || ::listen(made.get(), backlog) != 0) {
    if (errno == EADDRINUSE)
      return make_error(ec::conflict, "another program listens on " + text_of(place),
                        "stop it, or use another port");
    return failed(place, "listen on", errno);
  }
  return made;
}

std::uint16_t port_of(int socket) {
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  if (::getsockname(socket, reinterpret_cast<sockaddr*>(&at), &size) != 0)
    return 0;
  if (at.ss_family == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6&>(at).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(at).sin_port);
}

result<socket_handle> connect_to(const link_place& place) {
  EBB_ASSIGN(const auto at, find(place, 0));
  EBB_ASSIGN(auto made, open_socket(place, *at));
  int problem = ::connect(made.get(), at->ai_addr, at->ai_addrlen) == 0 ? 0 : errno;
  if (problem == EINPROGRESS) {
    pollfd waited{made.get(), POLLOUT, 0};
    socklen_t size = sizeof problem;
    const auto ready = ::poll(&waited, 1, connect_milliseconds);
    if (ready <= 0)
      problem = ready == 0 ? ETIMEDOUT : errno;
    else if (::getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &problem, &size) != 0)
      problem = errno;
  }
  if (problem == ECONNREFUSED)
    return make_error(ec::not_found, "no control process listens on " + text_of(place),
                      "start it: ebb up");
  if (problem != 0)
    return failed(place, "connect to", problem);
  return made;
}

result<std::string> address_towards(const link_place& place) {
  EBB_ASSIGN(const auto at, find(place, 0));
  // Connecting a datagram socket sends nothing; it only chooses the way.
  const socket_handle made{::socket(at->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_storage own{};
  socklen_t size = sizeof own;
  std::array<char, NI_MAXHOST> host{};
  if (made.get() < 0 || ::connect(made.get(), at->ai_addr, at->ai_addrlen) != 0
      || ::getsockname(made.get(), reinterpret_cast<sockaddr*>(&own), &size) != 0)
    return failed(place, "find the way to", errno);
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&own), size, host.data(), host.size(),
                    nullptr, 0, NI_NUMERICHOST)
      != 0)
    return failed(place, "name the own address towards", EADDRNOTAVAIL);
  return std::string(host.data());
}

link_peer greet_tcp(int socket) {
  set(socket, IPPROTO_TCP, TCP_NODELAY);
  sockaddr_storage at{};
  socklen_t size = sizeof at;
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (::getpeername(socket, reinterpret_cast<sockaddr*>(&at), &size) != 0
      || ::getnameinfo(reinterpret_cast<const sockaddr*>(&at), size, host.data(), host.size(),
                       port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV)
             != 0)
    return {0, 0, "a process that is gone"};
  return {0, 0, std::string("the process at ") + host.data() + ':' + port.data()};
}

} // namespace ebb
