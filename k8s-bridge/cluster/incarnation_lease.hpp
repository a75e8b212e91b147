/// The number of a control process, from a Lease: written once at its start, by compare and swap.
#pragma once

#include "k8s-bridge/client/kube_calls.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace ebb {

/// `done` gets a number that no other control process of the namespace has got or will get, above
/// all that were given before and above `least`. Tries again, with pauses, for `patience`; then the
/// last error. On the world's thread; `calls` outlives it.
void take_incarnation(kube_calls& calls, const std::string& name_space, const std::string& holder,
                      std::uint64_t least, micros patience,
                      std::function<void(result<std::uint64_t>)> done);

} // namespace ebb
