/// Files that local workers write their standard error to.
#pragma once

#include "schemas/error.hpp"
#include "storage/files.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ebb {

/// FOLDER/worker-NAME.log, and worker-NAME.log.1 with what came before. Blocking; one thread.
/// Bounds: a file is set aside when it is opened with `bytes` in it; a worker does the same to its
/// own while it runs (actors/service/worker/log_rotation.hpp). Of workers that are gone, the newest
/// `kept` have files that are not empty.
class worker_logs {
public:
  explicit worker_logs(std::string folder, std::uint64_t bytes = std::uint64_t{4} << 20,
                       std::size_t kept = 32);

  [[nodiscard]] std::string path(const std::string& name) const;

  /// Opens it to append to; makes the folder. The descriptor is close-on-exec, and holds the file's
  /// lock (flock) with all copies of it: a log that is locked has a living worker.
  /// ec::conflict: another worker has it.
  [[nodiscard]] result<owned_file> open(const std::string& name);

  /// Removes empty files and the oldest ones of workers that are gone.
  void sweep() const;

  /// Names of logs (`worker-NAME`) that have a living worker, whoever has started it.
  [[nodiscard]] std::vector<std::string> living() const;

  /// Its last line, shortened to 300 bytes; empty where there is none.
  [[nodiscard]] std::string last_line(const std::string& name) const;

private:
  std::string folder_;
  std::uint64_t bytes_;
  std::size_t kept_;
};

} // namespace ebb
