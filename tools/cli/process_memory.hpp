/// How much memory the process keeps.
#pragma once

#include "actors/runtime/stream_report.hpp"

#include <cstdint>

namespace ebb::cli {

/// Call before the first thread is started.
void settle_allocator();

/// Unmaps code and constants that were read from files. What is needed again comes back by page
/// faults.
void give_code_back();

/// Gives back what can be done without: free memory, and code that was read from files. What is
/// needed again comes back by page faults. Takes milliseconds.
void give_memory_back();

/// Gives memory back once streams rest: nothing came, nothing went out, and no checkpoint was made
/// for some reports. What a rest needs again comes back by page faults. Used by one thread.
class resting_memory {
public:
  /// Takes a report, which come every 100 ms or so.
  void look(const run_progress& progress);

private:
  std::uint64_t last_ = 0;  ///< of what was done
  std::uint32_t quiet_ = 0; ///< reports with the same
};

} // namespace ebb::cli
