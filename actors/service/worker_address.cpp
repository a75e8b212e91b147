#include "actors/service/worker_address.hpp"

#include "storage/files.hpp"

#include <cstdint>
#include <fstream>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr const char* this_machine = "127.0.0.1";

/// One that nobody has now.
result<std::uint16_t> free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  const bool found = probe >= 0
                     && ::bind(probe, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0
                     && ::getsockname(probe, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  if (probe >= 0)
    ::close(probe);
  if (!found)
    return make_error(ec::io, "there is no free port for the links of workers");
  return ntohs(at.sin_port);
}

result<std::uint16_t> kept_port(const std::string& file) {
  if (std::ifstream from(file); from) {
    std::uint32_t port = 0;
    if (from >> port && port > 0 && port <= UINT16_MAX)
      return static_cast<std::uint16_t>(port);
    return make_error(ec::corrupt, file + ": this is no port", "write one into it, or remove it");
  }
  EBB_ASSIGN(const auto port, free_port());
  std::ofstream to(file);
  to << port << '\n';
  to.close();
  if (!to)
    return make_error(ec::io, file + ": cannot be written");
  return port;
}

} // namespace

worker_address socket_address(const std::string& data_folder) {
  worker_address x;
  x.socket = data_folder + "/workers.sock";
  x.arguments = {"--control", x.socket};
  return x;
}

result<worker_address> tls_address(const std::string& data_folder) {
  const auto folder = data_folder + "/links";
  EBB_TRY(make_folder(data_folder));
  EBB_TRY(link_identity::make(folder));
  worker_address x;
  EBB_ASSIGN(x.identity, link_identity::load(folder, link_side::control));
  x.place.address = this_machine;
  EBB_ASSIGN(x.place.port, kept_port(folder + "/port"));
  x.arguments = {"--control", std::string(this_machine) + ':' + std::to_string(x.place.port),
                 "--identity", folder};
  return x;
}

result<worker_address> tls_address(const std::string& data_folder, const link_place& place,
                                   const std::string& advertised, const certificate_times& times) {
  const auto folder = data_folder + "/links";
  EBB_TRY(make_folder(data_folder));
  EBB_TRY(link_identity::make(folder, false));
  worker_address x;
  EBB_ASSIGN(x.authority, certificate_authority::load(folder, times));
  EBB_ASSIGN(x.identity, link_identity::load(folder, link_side::control));
  x.place = place;
  x.arguments = {"--control", advertised};
  return x;
}

} // namespace ebb
