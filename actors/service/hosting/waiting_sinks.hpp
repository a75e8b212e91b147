/// What the sinks of a stream wait for, such as room on a full disk.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace ebb {

/// Thread-safe.
class waiting_sinks {
public:
  /// What a sink tells of itself (connector_context::note): `sink NAME waits: …` or `sink NAME goes
  /// on: …`, each as often as the other.
  void told(const std::string& text);

  /// Of one that waits; empty = none does.
  [[nodiscard]] std::string text() const;

private:
  struct wait {
    std::size_t lanes = 0;
    std::string text;
  };

  mutable std::mutex mutex_;
  std::map<std::string, wait> waits_; ///< by `sink NAME`
};

} // namespace ebb
