/// The door of a running `ebb run --data DIR`: DIR/control.sock.
///
/// One JSON object a line in, one a line out: {"command": "savepoint", "stream": …, "name": …} →
/// {"epoch": …} or {"error": …, "hint": …}. Only the user who runs the stream may connect (the
/// socket's mode).
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb::cli {

struct savepoint_request {
  std::string stream;
  std::string name;
  /// To be called once, from any thread.
  std::function<void(const result<std::uint64_t>&)> answer;
};

/// Listens on a thread of its own while it lives.
class control_socket {
public:
  /// Replaces a socket that a dead process has left: the folder's lock is ours.
  [[nodiscard]] static result<std::unique_ptr<control_socket>>
  listen(const std::string& folder, std::function<void(savepoint_request)> savepoint);

  virtual ~control_socket() = default;
};

/// Asks the process that runs with this folder. ec::not_found where none does.
[[nodiscard]] result<std::uint64_t>
ask_for_savepoint(const std::string& folder, const std::string& stream, const std::string& name);

} // namespace ebb::cli
