#include "actors/service/worker/log_rotation.hpp"

#include <cstdio>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ebb {

log_rotation::log_rotation(std::string path, std::uint64_t bytes)
    : path_(std::move(path)), bytes_(bytes) {}

void log_rotation::look() const noexcept {
  struct stat errors {};

  struct stat output {};

  struct stat named {};

  if (path_.empty() || ::fstat(STDERR_FILENO, &errors) != 0 || !S_ISREG(errors.st_mode)
      || static_cast<std::uint64_t>(errors.st_size) < bytes_)
    return;
  // Another process may have moved it.
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != errors.st_ino
      || named.st_dev != errors.st_dev)
    return;
  const bool both = ::fstat(STDOUT_FILENO, &output) == 0 && output.st_ino == errors.st_ino
                    && output.st_dev == errors.st_dev;
  if (std::rename(path_.c_str(), (path_ + ".1").c_str()) != 0)
    return;
  const int next = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (next < 0)
    return;
  static_cast<void>(::flock(next, LOCK_EX | LOCK_NB));
  static_cast<void>(::dup2(next, STDERR_FILENO));
  if (both) {
    std::fflush(stdout);
    static_cast<void>(::dup2(next, STDOUT_FILENO));
  }
  ::close(next);
}

} // namespace ebb
