/// Starting a process and knowing when it has gone.
#pragma once

#include "k8s-bridge/worker_backend.hpp"
#include "storage/files.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// A process by its pidfd: a signal or a wait can never meet another process that got its number.
class child_process {
public:
  child_process() = default;

  /// `arguments[0]` is what the process is called. Descriptors 1 and 2 are `output`, 0 is
  /// /dev/null, others are closed. Signals have their default actions there. Blocks for a
  /// millisecond or so.
  [[nodiscard]] static result<child_process> spawn(const std::string& program,
                                                   const std::vector<std::string>& arguments,
                                                   const owned_file& output);

  /// A process that somebody else has started. ec::not_found: there is none.
  [[nodiscard]] static result<child_process> find(std::int64_t pid);

  [[nodiscard]] std::int64_t pid() const noexcept {
    return pid_;
  }

  /// Readable when the process has gone.
  [[nodiscard]] int descriptor() const noexcept {
    return handle_.descriptor();
  }

  void send(int signal) const noexcept;

  /// How it went; reaps it. To be called once, when the descriptor is readable.
  [[nodiscard]] worker_exit reap() const noexcept;

private:
  child_process(std::int64_t pid, owned_file handle) : pid_(pid), handle_(std::move(handle)) {}

  std::int64_t pid_ = 0;
  owned_file handle_;
};

} // namespace ebb
