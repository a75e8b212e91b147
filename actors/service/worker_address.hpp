/// Where workers meet their control process, and how they know each other.
#pragma once

#include "actors/links/certificate_authority.hpp"
#include "actors/links/link_server.hpp"
#include "schemas/error.hpp"

#include <memory>
#include <string>
#include <vector>

namespace ebb {

struct worker_address {
  std::string socket;                            ///< path of a unix socket; empty = TLS
  link_place place;                              ///< TLS
  std::shared_ptr<const link_identity> identity; ///< of the control side; TLS
  /// Workers have certificates by this one, each its own; null = they share one.
  std::shared_ptr<const certificate_authority> authority;

  /// Arguments of `ebb worker` that lead there.
  std::vector<std::string> arguments;
};

/// DATA/workers.sock: processes of one user on one machine.
[[nodiscard]] worker_address socket_address(const std::string& data_folder);

/// A port of this machine with certificates of both sides, made at the first start in DATA/links.
/// The port is kept there, too, so that workers find the control process again. Blocks.
[[nodiscard]] result<worker_address> tls_address(const std::string& data_folder);

/// The same on a given place, for workers on other machines. They find it at `advertised`
/// (HOST:PORT), and bring identities of their own: their arguments name none.
[[nodiscard]] result<worker_address> tls_address(const std::string& data_folder,
                                                 const link_place& place,
                                                 const std::string& advertised,
                                                 const certificate_times& times);

} // namespace ebb
