/// `ebb run --data` as a process of its own, to be stopped, killed and started again.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace ebb::bench {

/// Runs FOLDER/NAME.yaml with FOLDER/data.
[[nodiscard]] pid_t start_data_run(const std::string& folder, const std::string& name);

/// kill -9, and waits.
void kill_data_run(pid_t run);

struct data_progress {
  std::uint64_t epoch = 0;       ///< of the newest record; 0 = none
  std::uint64_t state_bytes = 0; ///< of the segments that it lists
};

/// What FOLDER/data says of the stream, whether it runs or not.
[[nodiscard]] data_progress progress_of(const std::string& folder, const std::string& stream);

/// 0 where there is none.
[[nodiscard]] std::uint64_t size_of_file(const std::string& path);

/// Takes FOLDER/data out of the page cache, as far as the kernel lets a process.
void drop_cache(const std::string& folder);

} // namespace ebb::bench
