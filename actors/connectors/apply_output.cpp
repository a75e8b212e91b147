#include "actors/connectors/apply_output.hpp"

#include "actors/connectors/file_digest.hpp"
#include "actors/connectors/file_io.hpp"
#include "actors/connectors/file_paths.hpp"
#include "actors/connectors/output_tail.hpp"
#include "storage/failpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t block_size = std::size_t{256} << 10;

std::uint64_t size_of(const descriptor& file) {
  struct stat info {};

  return ::fstat(file.number(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool is_special(const std::string& path) {
  struct stat info {};

  return ::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

error lost(const sealed_output& output, const std::string& shown) {
  return make_error(ec::corrupt,
                    output.file + " is gone, which holds committed output that is not in " + shown
                        + " yet",
                    "put it back, or go back to a savepoint");
}

error damaged(const sealed_output& output, const std::string& shown) {
  return make_error(ec::corrupt,
                    output.file + " is damaged, which holds committed output for " + shown,
                    "restore it from a copy, or go back to a savepoint");
}

/// The file that waits; a number below 0 when it is gone.
result<descriptor> open_waiting(const sealed_output& output) {
  descriptor file(::open(output.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0 && errno != ENOENT)
    return file_error("open", output.file, errno);
  return file;
}

/// Whether these are the output's bytes.
result<bool> holds(const descriptor& file, std::uint64_t offset, const sealed_output& output,
                   const std::string& shown) {
  if (size_of(file) < offset + output.bytes)
    return false;
  EBB_ASSIGN(const auto digest, digest_of(file, offset, output.bytes, shown));
  return digest == output.digest;
}

result<bool> is_sound(const descriptor& waiting, const sealed_output& output) {
  if (size_of(waiting) != output.bytes)
    return false;
  return holds(waiting, 0, output, output.file);
}

result<void> remove(const sealed_output& output) {
  failpoint("apply.remove", failpoint_side::before);
  if (::unlink(output.file.c_str()) != 0 && errno != ENOENT)
    return file_error("remove", output.file, errno);
  failpoint("apply.remove", failpoint_side::after);
  return {};
}

/// Through a writer, for what is no regular file.
result<void> pass_on(const descriptor& from, std::uint64_t bytes, byte_writer& to,
                     const std::string& shown) {
  std::vector<char> block(std::min<std::uint64_t>(block_size, bytes));
  for (std::uint64_t done = 0; done != bytes;) {
    const auto count = ::pread(from.number(), block.data(), block.size(), static_cast<off_t>(done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return file_error("read", shown, count < 0 ? errno : EIO);
    EBB_TRY(to.write(block.data(), static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
  }
  return to.finish();
}

/// How many of the output's first bytes a crash has left in the target: readers may have seen them,
/// so they stay. None where anything else is there.
result<std::uint64_t> begun(const descriptor& waiting, const descriptor& to,
                            const sealed_output& output, const std::string& shown) {
  const auto there = size_of(to) - output.offset;
  if (there == 0 || there > output.bytes)
    return std::uint64_t{0};
  EBB_ASSIGN(const auto wanted, digest_of(waiting, 0, there, output.file));
  EBB_ASSIGN(const auto found, digest_of(to, output.offset, there, shown));
  return found == wanted ? there : 0;
}

/// All but the first `begin` bytes; inside the kernel where the file systems can do it.
result<void> copy(const descriptor& from, std::uint64_t begin, std::uint64_t bytes,
                  const descriptor& to, std::uint64_t offset, const std::string& shown) {
  auto read_at = static_cast<off_t>(begin);
  auto write_at = static_cast<off_t>(offset + begin);
  while (static_cast<std::uint64_t>(read_at) != bytes) {
    const auto left = bytes - static_cast<std::uint64_t>(read_at);
    const auto count = ::copy_file_range(from.number(), &read_at, to.number(), &write_at, left, 0);
    if (count > 0 || (count < 0 && errno == EINTR))
      continue;
    if (count < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO || errno == EFBIG))
      return file_error("write", shown, errno);
    break;
  }
  std::vector<char> block(std::min<std::uint64_t>(block_size, bytes));
  while (static_cast<std::uint64_t>(read_at) != bytes) {
    const auto count = ::pread(from.number(), block.data(), block.size(), read_at);
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return file_error("read", shown, count < 0 ? errno : EIO);
    read_at += count;
    for (std::size_t done = 0; done != static_cast<std::size_t>(count);) {
      const auto written = ::pwrite(to.number(), block.data() + done,
                                    static_cast<std::size_t>(count) - done, write_at);
      if (written < 0 && errno != EINTR)
        return file_error("write", shown, errno);
      done += written < 0 ? 0 : static_cast<std::size_t>(written);
      write_at += written < 0 ? 0 : written;
    }
  }
  return {};
}

result<void> write_special(const descriptor& waiting, descriptor to, const sealed_output& output,
                           const std::string& shown) {
  EBB_ASSIGN(const bool sound, is_sound(waiting, output));
  if (!sound)
    return damaged(output, shown);
  const auto writer = make_writer(std::move(to), compression::none, shown);
  EBB_TRY(pass_on(waiting, output.bytes, *writer, output.file));
  return remove(output);
}

error too_short(const std::string& shown, std::uint64_t offset, const std::string& now) {
  return make_error(ec::conflict,
                    shown + " " + now + ", but " + std::to_string(offset)
                        + " bytes of output were written to it before",
                    "it was cut, replaced or removed by someone: put it back as it was, or start "
                    "over with --from fresh");
}

error replaced(const std::string& shown, const sealed_output& last) {
  const auto end = last.offset + last.bytes;
  const auto looked_at = last.bytes != 0 ? last.bytes : std::min<std::uint64_t>(end, output_tail::most);
  return make_error(ec::conflict,
                    shown + " was changed or replaced: the " + std::to_string(looked_at)
                        + " bytes before byte " + std::to_string(end)
                        + " are not those that the stream has written there",
                    "put the file back as it was, give the sink another path, where it begins a "
                    "file with the rows that come from now on, or start over with --from fresh");
}

result<void> append(const std::string& path, const std::string& shown,
                    const sealed_output& output) {
  if (is_special(path)) {
    EBB_ASSIGN(const auto waiting, open_waiting(output));
    if (waiting.number() < 0)
      return {};
    // Not to wait for a reader that does not come.
    descriptor to(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (to.number() < 0)
      return file_error("write", shown, errno);
    ::fcntl(to.number(), F_SETFL, ::fcntl(to.number(), F_GETFL) & ~O_NONBLOCK);
    return write_special(waiting, std::move(to), output, shown);
  }
  const descriptor to(
      ::open(path.c_str(), O_RDWR | O_CLOEXEC | (output.offset == 0 ? O_CREAT : 0), 0666));
  if (to.number() < 0)
    return errno == ENOENT && output.offset != 0 ? too_short(shown, output.offset, "is gone")
                                                 : file_error("write", shown, errno);
  const auto size = size_of(to);
  if (size < output.offset)
    return too_short(shown, output.offset, "has only " + std::to_string(size) + " bytes");
  EBB_ASSIGN(const auto waiting, open_waiting(output));
  // Behind the output there may be later ones. At offset 0 it may also be what was there before the
  // stream began, perhaps of the same rows.
  if (waiting.number() < 0 || output.offset != 0 || size == output.bytes) {
    EBB_ASSIGN(const bool done, holds(to, output.offset, output, shown));
    if (done) {
      EBB_TRY(sync_file(to, shown));
      return remove(output);
    }
    if (waiting.number() < 0)
      return lost(output, shown);
  }
  EBB_ASSIGN(const bool sound, is_sound(waiting, output));
  if (!sound)
    return damaged(output, shown);
  failpoint("apply.append", failpoint_side::before);
  EBB_ASSIGN(const auto begin, begun(waiting, to, output, shown));
  if (size != output.offset + begin
      && ::ftruncate(to.number(), static_cast<off_t>(output.offset + begin)) != 0)
    return file_error("write", shown, errno);
  EBB_TRY(copy(waiting, begin, output.bytes, to, output.offset, shown));
  failpoint("apply.append", failpoint_side::after);
  failpoint("apply.sync", failpoint_side::before);
  EBB_TRY(sync_file(to, shown));
  failpoint("apply.sync", failpoint_side::after);
  if (output.offset == 0)
    EBB_TRY(sync_folder_of(path));
  return remove(output);
}

result<void> add_part(const std::string& path, const std::string& shown,
                      const sealed_output& output) {
  EBB_ASSIGN(const auto waiting, open_waiting(output));
  if (waiting.number() >= 0) {
    EBB_ASSIGN(const bool sound, is_sound(waiting, output));
    if (!sound)
      return damaged(output, shown);
    failpoint("apply.rename", failpoint_side::before);
    const int problem = rename_anew(output.file.c_str(), path.c_str());
    failpoint("apply.rename", failpoint_side::after);
    if (problem == 0)
      return sync_folder_of(path);
    if (problem != EEXIST)
      return file_error("write", shown, problem);
  }
  const descriptor there(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (there.number() < 0)
    return errno == ENOENT ? lost(output, shown) : file_error("open", shown, errno);
  EBB_ASSIGN(const bool same, is_sound(there, output));
  if (!same)
    return make_error(ec::conflict, shown + " is there and is not what the stream has written",
                      "move it out of the folder, then run again");
  EBB_TRY(remove(output));
  return sync_folder_of(path);
}

/// Of standard output.
bool readers_have_gone() {
  pollfd at{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&at, 1, 0) == 1 && (at.revents & POLLERR) != 0;
}

result<void> write_stdout(const sealed_output& output) {
  EBB_ASSIGN(const auto waiting, open_waiting(output));
  if (waiting.number() < 0)
    return {};
  descriptor to(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (to.number() < 0)
    return file_error("write", "standard output", errno);
  auto written = write_special(waiting, std::move(to), output, "standard output");
  // Nobody can take the place of a reader that has gone, so it need not be tried again.
  if (!written && readers_have_gone())
    return make_error(ec::cancelled, written.error().message, written.error().hint);
  return written;
}

} // namespace

result<void> check_appended(const std::string& path, const std::string& shown,
                            const sealed_output& last) {
  const auto end = last.offset + last.bytes;
  struct stat info {};

  if (::stat(path.c_str(), &info) != 0)
    return errno == ENOENT && end != 0 ? too_short(shown, end, "is gone") : result<void>{};
  if (!S_ISREG(info.st_mode))
    return {};
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < end)
    return too_short(shown, end, "has only " + std::to_string(size) + " bytes");
  if (end == 0)
    return {};
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0)
    return {}; // it can be written and not read
  EBB_ASSIGN(const bool same, ends_with(file, last, shown));
  return same ? result<void>{} : replaced(shown, last);
}

result<void> show_file(const std::string& path) {
  const descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0)
    return file_error("open", path, errno);
  descriptor to(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
  if (to.number() < 0)
    return file_error("write", "standard output", errno);
  const auto writer = make_writer(std::move(to), compression::none, "standard output");
  return pass_on(file, size_of(file), *writer, path);
}

int rename_anew(const char* from, const char* to) noexcept {
  if (::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return errno;
  // The file system cannot do that in one step.
  if (::link(from, to) != 0)
    return errno;
  return ::unlink(from) == 0 ? 0 : errno;
}

result<void> apply_waiting_output(const std::string& folder, const sealed_output& output) {
  const std::string_view target = output.target;
  if (target.empty() || output.file.empty())
    return {};
  if (target == stdout_target)
    return write_stdout(output);
  for (const std::string_view kind : {append_target, part_target}) {
    if (!target.starts_with(kind))
      continue;
    const std::string shown(target.substr(kind.size()));
    const auto path = join_path(folder, shown);
    return kind == append_target ? append(path, shown, output) : add_part(path, shown, output);
  }
  return make_error(ec::corrupt, "output for the unknown target " + output.target,
                    "it was written by another version of ebb: run that one");
}

} // namespace ebb
