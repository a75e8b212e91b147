/// The thread of a process's links.
#pragma once

#include "actors/links/link_connection.hpp"
#include "schemas/error.hpp"

#include <functional>
#include <memory>

namespace ebb {

class link_core;

/// One thread, for any number of servers and connections; it sleeps while nothing happens.
class link_loop {
public:
  /// ec::resource where no thread can be started.
  [[nodiscard]] static result<std::unique_ptr<link_loop>> start(const link_options& options = {});

  /// Closes all connections (ec::cancelled); returns when no handler runs any more. Servers are
  /// gone before. Not from a handler.
  ~link_loop();
  link_loop(const link_loop&) = delete;
  link_loop& operator=(const link_loop&) = delete;

  /// Processor time of its thread.
  [[nodiscard]] double cpu_seconds() const;

  [[nodiscard]] link_core& core() noexcept {
    return *core_;
  }

private:
  link_loop();

  std::unique_ptr<link_core> core_;
};

} // namespace ebb
