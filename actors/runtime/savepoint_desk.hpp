/// Where threads outside the actor system ask a running stream for a savepoint.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ebb {

/// Thread-safe. Nobody is there before the streams have started and after they have ended.
class savepoint_desk {
public:
  /// Called once, from any thread, unless the process ends before.
  using answer_function = std::function<void(const result<std::uint64_t>&)>;
  using ask_function = std::function<void(const std::string& name, answer_function)>;

  /// The answer is the epoch that the savepoint is, or why there is none.
  void ask(const std::string& stream, const std::string& name, const answer_function& answer);

  /// By the run: how to ask each stream; empty when they end.
  void open(std::map<std::string, ask_function> streams);

private:
  std::mutex mutex_;
  std::map<std::string, ask_function> streams_;
};

} // namespace ebb
