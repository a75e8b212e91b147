#include "actors/links/unix_socket.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr mode_t owner_only = S_IRUSR | S_IWUSR;
constexpr int backlog = 128;
constexpr time_t connect_seconds = 2;

error failed(const std::string& path, const char* what) {
  auto out = make_error(ec::io, std::string("cannot ") + what + ": " + std::strerror(errno),
                        "check that the folder exists and belongs to this user");
  out.place.file = path;
  return out;
}

// Batches on their way need no answer: with more room the two sides wait for each other less often.
// The system gives what it allows. TCP finds out itself how much it needs.
void widen(int socket) {
  int domain = 0;
  socklen_t size = sizeof domain;
  if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 || domain != AF_UNIX)
    return;
  constexpr int bytes = 1 << 20;
  ::setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
}

result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path
      || path.find('\0') != std::string::npos) {
    auto out = make_error(ec::invalid_argument,
                          "a socket's path has 1 to " + std::to_string(sizeof address.sun_path - 1)
                              + " bytes, this one " + std::to_string(path.size()),
                          "use a data folder with a shorter path");
    out.place.file = path;
    return out;
  }
  std::memcpy(address.sun_path, path.c_str(), path.size());
  return address;
}

result<socket_handle> open_socket(const std::string& path) {
  socket_handle made{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (made.get() < 0)
    return failed(path, "make a socket");
  return made;
}

const sockaddr* plain(const sockaddr_un& x) {
  return reinterpret_cast<const sockaddr*>(&x);
}

// Where nobody listens any more, the path may be used again.
result<void> clear_path(const std::string& path, const sockaddr_un& address) {
  struct stat found {};

  if (::lstat(path.c_str(), &found) != 0)
    return errno == ENOENT ? result<void>{} : failed(path, "look at the path");
  if (!S_ISSOCK(found.st_mode)) {
    auto out = make_error(ec::conflict, "there is something else where the socket should be",
                          "move it away");
    out.place.file = path;
    return out;
  }
  EBB_ASSIGN(const auto probe, open_socket(path));
  if (::connect(probe.get(), plain(address), sizeof address) == 0) {
    auto out = make_error(ec::conflict, "another process listens on this socket",
                          "stop it, or use another data folder");
    out.place.file = path;
    return out;
  }
  if (errno != ECONNREFUSED)
    return failed(path, "try the socket that is there");
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return failed(path, "remove the old socket");
  return {};
}

} // namespace

socket_handle::~socket_handle() {
  if (number_ >= 0)
    ::close(number_);
}

result<socket_handle> listen_at(const std::string& path) {
  EBB_ASSIGN(const auto address, address_of(path));
  EBB_TRY(clear_path(path, address));
  EBB_ASSIGN(auto made, open_socket(path));
  // Before it has a name, so that it is never open to others.
  if (::fchmod(made.get(), owner_only) != 0
      || ::bind(made.get(), plain(address), sizeof address) != 0
      || ::chmod(path.c_str(), owner_only) != 0 || ::listen(made.get(), backlog) != 0)
    return failed(path, "listen on the socket");
  return made;
}

result<socket_handle> connect_to(const std::string& path) {
  EBB_ASSIGN(const auto address, address_of(path));
  EBB_ASSIGN(auto made, open_socket(path));
  // Waits only while too many others wait.
  const timeval patience{connect_seconds, 0};
  ::setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(made.get(), plain(address), sizeof address) == 0) {
    ::fcntl(made.get(), F_SETFL, ::fcntl(made.get(), F_GETFL) | O_NONBLOCK);
    widen(made.get());
    return made;
  }
  if (errno == ENOENT || errno == ECONNREFUSED) {
    auto out = make_error(ec::not_found, "no control process listens on this socket",
                          "start it: ebb up --data DIR");
    out.place.file = path;
    return out;
  }
  return failed(path, "connect to the socket");
}

socket_handle accept_from(int listening) {
  socket_handle made{::accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (made.get() >= 0)
    widen(made.get());
  return made;
}

result<link_peer> peer_of(int socket) {
  ucred who{};
  socklen_t size = sizeof who;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
    return make_error(ec::io, std::string("cannot ask who is at the other end of the link: ")
                                  + std::strerror(errno));
  if (who.uid != ::geteuid())
    return make_error(ec::conflict,
                      "the other side of the link runs as user " + std::to_string(who.uid)
                          + ", this one as " + std::to_string(::geteuid()),
                      "run control process and workers as one user");
  return link_peer{who.pid, who.uid, "process " + std::to_string(who.pid)};
}

} // namespace ebb
