/// Where workers of one machine take connections of each other.
#pragma once

#include <string>

namespace ebb {

/// A folder beside the socket of the control process.
[[nodiscard]] inline std::string peer_folder(const std::string& control) {
  const auto slash = control.rfind('/');
  return (slash == std::string::npos ? "." : control.substr(0, slash)) + "/peers";
}

/// The socket of a worker. What one leaves that was killed is the control process's to remove.
[[nodiscard]] inline std::string peer_path(const std::string& control, const std::string& worker) {
  return peer_folder(control) + '/' + worker;
}

} // namespace ebb
