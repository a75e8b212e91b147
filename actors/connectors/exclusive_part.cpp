#include "actors/connectors/exclusive_part.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

bool is_at(const descriptor& file, const std::string& path) noexcept {
  struct stat opened {};

  struct stat named {};

  return ::fstat(file.number(), &opened) == 0 && ::stat(path.c_str(), &named) == 0
         && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool try_lock(const descriptor& file) noexcept {
  return ::flock(file.number(), LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

result<descriptor> open_exclusive_part(const std::string& path, mode_t mode,
                                       const std::string& shown) {
  for (;;) {
    descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode));
    if (file.number() < 0) {
      auto problem = file_error("write", path, errno);
      if (errno == EISDIR)
        problem.hint = "rows are kept there until the stream ends: move the folder away, or write to "
                       "another path than "
                       + shown;
      return problem;
    }
    if (!try_lock(file))
      return make_error(ec::conflict,
                        "cannot write " + shown + ": another process or sink is writing " + path,
                        "wait until it has finished, or write to another path");
    // Its last owner may have renamed it just before the lock was taken.
    if (!is_at(file, path))
      continue;
    if (::ftruncate(file.number(), 0) != 0)
      return file_error("write", shown, errno);
    return file;
  }
}

result<void> check_part(const descriptor& file, const std::string& path,
                        const std::string& shown) {
  if (is_at(file, path))
    return {};
  return make_error(ec::io,
                    "cannot write " + shown + ": " + path
                        + " was removed or replaced while the stream ran",
                    "its rows are lost: leave files that end in .part alone while a stream runs, and "
                    "run it again");
}

result<descriptor> same_file(const descriptor& file, const std::string& shown) {
  descriptor same(::fcntl(file.number(), F_DUPFD_CLOEXEC, 3));
  if (same.number() < 0)
    return file_error("write", shown, errno);
  return same;
}

} // namespace ebb
