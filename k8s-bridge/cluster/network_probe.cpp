#include "k8s-bridge/cluster/network_probe.hpp"

#include <cerrno>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ebb {

probe_outcome probe_network(const std::string& address, std::chrono::milliseconds patience) {
  const auto colon = address.rfind(':');
  if (colon == std::string::npos)
    return probe_outcome::refused;
  auto host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[')
    host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), address.c_str() + colon + 1, &hints, &found) != 0)
    return probe_outcome::refused;
  auto outcome = probe_outcome::refused;
  const int made = ::socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (made >= 0) {
    int problem = ::connect(made, found->ai_addr, found->ai_addrlen) == 0 ? 0 : errno;
    if (problem == EINPROGRESS) {
      pollfd waited{made, POLLOUT, 0};
      if (::poll(&waited, 1, static_cast<int>(patience.count())) == 1) {
        socklen_t size = sizeof problem;
        ::getsockopt(made, SOL_SOCKET, SO_ERROR, &problem, &size);
      } else {
        problem = ETIMEDOUT;
      }
    }
    if (problem == 0)
      outcome = probe_outcome::reached;
    else if (problem == ETIMEDOUT)
      outcome = probe_outcome::silent;
    ::close(made);
  }
  ::freeaddrinfo(found);
  return outcome;
}

} // namespace ebb
