#include "storage/folder_lock.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace ebb {

namespace {

std::string lock_path(const std::string& folder) {
  return folder + "/control.lock";
}

int read_holder(int descriptor) {
  char text[16] = {};
  const auto got = ::pread(descriptor, text, sizeof text - 1, 0);
  int process = 0;
  if (got > 0)
    std::from_chars(text, text + got, process);
  return process;
}

} // namespace

// flock, not fcntl: fcntl's locks are lost when any descriptor of the file is closed, and a process
// does not exclude itself.
result<folder_lock> folder_lock::acquire(const std::string& folder) {
  const auto path = lock_path(folder);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return system_error(path, "open");
  owned_file file{descriptor, path};
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK)
      return system_error(path, "lock");
    const auto process = read_holder(descriptor);
    return make_error(ec::conflict,
                      folder + ": the folder is in use by "
                          + (process != 0 ? "process " + std::to_string(process)
                                          : std::string("another process")),
                      "stop that process first, or use another data folder");
  }
  if (::ftruncate(descriptor, 0) != 0)
    return system_error(path, "write");
  EBB_TRY(file.write_at(0, std::to_string(::getpid()) + "\n"));
  return folder_lock{std::move(file)};
}

result<std::optional<int>> folder_lock::holder(const std::string& folder) {
  auto file = owned_file::open_to_read(lock_path(folder));
  if (!file) {
    if (file.error().code == ec::not_found)
      return std::optional<int>{};
    return std::move(file).error();
  }
  // A shared lock for a moment: it fails only while somebody writes.
  if (::flock(file->descriptor(), LOCK_SH | LOCK_NB) == 0)
    return std::optional<int>{};
  if (errno != EWOULDBLOCK)
    return system_error(file->path(), "lock");
  return std::optional{read_holder(file->descriptor())};
}

} // namespace ebb
