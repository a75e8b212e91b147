/// Whether the cluster's network keeps us from where we may not go.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ebb {

enum class probe_outcome : std::uint8_t {
  reached,
  refused, ///< nobody listens there, or somebody says no for it
  silent,
};

/// Tries a connection to `HOST:PORT`, with a numeric host. Blocks, for `patience` at most.
[[nodiscard]] probe_outcome probe_network(const std::string& address,
                                          std::chrono::milliseconds patience);

} // namespace ebb
