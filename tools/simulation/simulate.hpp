/// `ebb sim`: whole streams in one thread, seeded, with faults, against a naive model.
#pragma once

#include <cstdint>

namespace ebb::sim {

struct sim_arguments {
  std::uint64_t seed = 1;
  std::uint64_t count = 1;
  bool verbose = false;
  bool parts = false; ///< every stream is shared by several processes
};

/// Simulates seeds from `seed` on until one fails; prints that and how to see it again. The last
/// line is `N passed, N failed`. Returns the exit code.
[[nodiscard]] int simulate(const sim_arguments& arguments);

} // namespace ebb::sim
