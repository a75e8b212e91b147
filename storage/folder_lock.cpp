#include "storage/folder_lock.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace ebb {

namespace {

std::string lock_path(const std::string& folder) {
  return folder + "/control.lock";
}

// First line: the process id. Second line: the last commit. Always as long.
constexpr std::size_t note_at = 16;
constexpr std::size_t note_bytes = 24;

struct flock whole_file(short type) {
  struct flock whole {};

  whole.l_type = type;
  whole.l_whence = SEEK_SET;
  return whole;
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

// Of the open file, not of the process: a process excludes itself, and closing another descriptor
// of the file does not give the lock up.
result<folder_lock> folder_lock::acquire(const std::string& folder) {
  const auto path = lock_path(folder);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    return system_error(path, "open");
  owned_file file{descriptor, path};
  auto whole = whole_file(F_WRLCK);
  if (::fcntl(descriptor, F_OFD_SETLK, &whole) != 0) {
    if (errno != EAGAIN && errno != EACCES)
      return system_error(path, "lock");
    const auto process = read_holder(descriptor);
    return make_error(ec::conflict,
                      folder + ": the folder is in use by "
                          + (process != 0 ? "process " + std::to_string(process)
                                          : std::string("another process")),
                      "stop that process first, or use another data folder");
  }
  EBB_TRY(file.write_at(0, fmt::format("{:<{}}\n", ::getpid(), note_at - 1)));
  return folder_lock{std::move(file)};
}

result<std::optional<std::uint64_t>> folder_lock::noted(const std::string& folder) {
  auto file = owned_file::open_to_read(lock_path(folder));
  if (!file) {
    if (file.error().code == ec::not_found)
      return std::optional<std::uint64_t>{};
    return std::move(file).error();
  }
  EBB_ASSIGN(const auto bytes, file->size());
  std::string text(note_bytes, '\0');
  if (bytes < note_at + text.size())
    return std::optional<std::uint64_t>{};
  EBB_TRY(file->read_at(note_at, text.data(), text.size()));
  std::uint64_t commit = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), commit).ec != std::errc{})
    return make_error(ec::corrupt, file->path() + ": the number of its last commit is unreadable",
                      "restore the data folder from a copy");
  return std::optional{commit};
}

result<void> folder_lock::note(std::uint64_t commit) {
  return file_.write_at(note_at, fmt::format("{:<{}}\n", commit, note_bytes - 1));
}

result<void> folder_lock::sync() {
  EBB_TRY(file_.sync());
  return sync_folder(folder_of(file_.path()));
}

result<std::optional<int>> folder_lock::holder(const std::string& folder) {
  auto file = owned_file::open_to_read(lock_path(folder));
  if (!file) {
    if (file.error().code == ec::not_found)
      return std::optional<int>{};
    return std::move(file).error();
  }
  // Only asked for, never taken: a look must not keep a writer away.
  auto whole = whole_file(F_RDLCK);
  if (::fcntl(file->descriptor(), F_OFD_GETLK, &whole) != 0)
    return system_error(file->path(), "lock");
  if (whole.l_type == F_UNLCK)
    return std::optional<int>{};
  return std::optional{read_holder(file->descriptor())};
}

} // namespace ebb
