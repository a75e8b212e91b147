/// Where workers run: one interface for processes of this machine and for pods of a cluster.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>

namespace ebb {

/// How a worker went.
struct worker_exit {
  enum class kind : std::uint8_t {
    exited,   ///< by itself; `code` is its exit code
    signaled, ///< by signal `code`
    unknown,  ///< it is gone; it was started by another process, which alone could know
  };
  kind how = kind::unknown;
  int code = 0;

  bool operator==(const worker_exit&) const = default;
};

/// `exit code 1`, `killed by signal 9`, `gone`.
[[nodiscard]] std::string to_string(const worker_exit& x);

/// What becomes of workers. Called from the backend's thread; must not block.
/// After `start`: `started`, then `gone`; or `failed` alone, or `started` and `failed`. After
/// `adopt`: `gone`. Nothing comes after `gone` and `failed`: the name is free then.
class worker_listener {
public:
  virtual ~worker_listener() = default;
  /// There is a process; whether it works is told by its hello over the link.
  virtual void started(const std::string& name, std::int64_t pid) = 0;
  /// It could not be started, or ended at once without having been asked to.
  virtual void failed(const std::string& name, const error& why) = 0;
  virtual void gone(const std::string& name, const worker_exit& how) = 0;
};

/// Thread-safe; no function blocks. Names are unique among the workers that are there. An order
/// for a worker that is not there does nothing, so orders and ends may cross.
class worker_backend {
public:
  virtual ~worker_backend() = default;

  virtual void start(const std::string& name) = 0;

  /// Takes over a worker that an earlier control process has started and that runs as `pid`.
  virtual void adopt(const std::string& name, std::int64_t pid) = 0;

  /// Lets it end its streams with final checkpoints. One that has not gone after a while is killed.
  virtual void end(const std::string& name) = 0;

  /// At once, also one that is stopped or hangs.
  virtual void kill(const std::string& name) = 0;
};

} // namespace ebb
