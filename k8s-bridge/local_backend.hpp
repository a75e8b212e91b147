/// Workers as processes of this machine.
#pragma once

#include "k8s-bridge/worker_backend.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

struct local_backend_options {
  std::string program = "/proc/self/exe"; ///< this binary, also after its file was replaced
  std::vector<std::string> arguments;     ///< `--name NAME --log FILE` come behind
  std::string log_folder;
  std::chrono::milliseconds at_once{1000};     ///< an end before that, unasked, is `failed`
  std::chrono::milliseconds end_within{40000}; ///< of `end`, then it is killed
};

/// Each worker is started (posix_spawn) in a process group of its own, so that Ctrl-C reaches the
/// control process alone; with no descriptors but /dev/null and its log; and lives on when this
/// process is gone. Its end is seen by a pidfd: no signal handler, no zombies. One thread does all
/// of it and sleeps while nothing happens. Workers that are there when the backend goes are left
/// alone.
/// `listener` outlives it. ec::resource where no thread or descriptor is left.
[[nodiscard]] result<std::unique_ptr<worker_backend>>
make_local_backend(local_backend_options options, worker_listener& listener);

} // namespace ebb
