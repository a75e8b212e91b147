/// Whether the data folder takes durable writes, for everybody who asks.
#pragma once

#include "actors/runtime/connector.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace ebb {

/// Thread-safe; nothing blocks. However many ask, it is tried at most once at a time, and not again
/// for a second once it was found out. It may go while a try is under way.
class write_watch {
public:
  using answer_function = std::function<void(const result<void>&)>;

  /// `io` outlives it.
  write_watch(io_executor& io, std::string folder);

  /// `answer` comes once: at once, or from an I/O thread.
  void ask(answer_function answer);

private:
  struct shared;
  std::shared_ptr<shared> shared_;
};

} // namespace ebb
