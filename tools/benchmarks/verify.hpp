/// Does `discard` see what a file would hold?
#pragma once

#include "tools/benchmarks/nexmark.hpp"

#include <cstdint>
#include <optional>

namespace ebb::bench {

struct verification {
  std::uint64_t rows = 0;
  std::uint64_t discard = 0; ///< hash at the `discard` sink
  std::uint64_t file = 0;    ///< hash of what was read back from the file of the same run
  bool updating = false;     ///< the hashes are those of the final table
};

/// Runs the query into `discard` and a file at once, then reads the file: CSV, or Debezium's changes
/// where the result is updating. A row that is taken back leaves both hashes, so that they are
/// those of the final table then. Errors are printed.
[[nodiscard]] std::optional<verification> verify_by_file(nexmark_run run);

} // namespace ebb::bench
