/// The door of a running `ebb run --data DIR`: DIR/control.sock.
///
/// One JSON object a line in, one a line out: {"command": "savepoint", "stream": …, "name": …} →
/// what the command answers, or {"error": …, "kind": …, "hint": …}. Only the user who runs the
/// stream may connect (the socket's mode).
#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace ebb::cli {

struct door_request {
  std::string command; ///< savepoint, sleep, wake, scale, restore, status
  std::string stream;
  std::string name;              ///< of a savepoint
  std::uint32_t parallelism = 0; ///< scale
  std::string sinks;             ///< restore: rewind, keep; empty = refuse
};

/// A JSON object. To be called once, from any thread.
using door_answer = std::function<void(const result<std::string>&)>;
using door_handler = std::function<void(door_request, door_answer)>;

/// Listens on a thread of its own while it lives.
class control_socket {
public:
  /// Replaces a socket that a dead process has left: the folder's lock is ours.
  [[nodiscard]] static result<std::unique_ptr<control_socket>> listen(const std::string& folder,
                                                                      door_handler handle);

  virtual ~control_socket() = default;
};

struct run_answer {
  bool runs = false;    ///< a process uses the folder
  bool in_time = false; ///< and it has answered
  std::string text;     ///< a JSON object
};

/// Asks the process that runs with this folder, and waits for its answer, zero: does not.
/// ec::conflict where it has ended before it answered.
[[nodiscard]] result<run_answer> ask_run(const std::string& folder, const door_request& request,
                                         std::chrono::milliseconds patience);

} // namespace ebb::cli
