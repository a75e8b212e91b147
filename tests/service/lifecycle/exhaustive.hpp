/// Every interleaving of a small world.
#pragma once

#include <cstdint>
#include <string>

namespace ebb::model {

/// From the instant at which a stream decides to sleep: all orders in which what goes by itself can
/// go on, with the adverse things of each scenario at every instant. True when all is well; `out`
/// tells what was done, or the path that breaks a promise.
[[nodiscard]] bool run_exhaustive(std::string& out);

} // namespace ebb::model
