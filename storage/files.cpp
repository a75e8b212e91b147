#include "storage/files.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ebb {

namespace {

// Magics that linux/magic.h of older kernels lacks.
constexpr long cifs_magic = 0xff534d42;
constexpr long smb2_magic = 0xfe534d42;
constexpr long ceph_magic = 0x00c36400;
constexpr long fuse_magic = 0x65735546;

} // namespace

const char* network_file_system(std::int64_t magic) noexcept {
  switch (magic & 0xffffffff) {
  case NFS_SUPER_MAGIC:
    return "NFS";
  case cifs_magic:
  case smb2_magic:
  case SMB_SUPER_MAGIC:
    return "SMB/CIFS";
  case AFS_SUPER_MAGIC:
    return "AFS";
  case CODA_SUPER_MAGIC:
    return "Coda";
  case NCP_SUPER_MAGIC:
    return "NCP";
  case V9FS_MAGIC:
    return "9P";
  case ceph_magic:
    return "Ceph";
  case fuse_magic:
    return "FUSE";
  default:
    return nullptr;
  }
}

error system_error(const std::string& path, const char* operation, int number) {
  ec code = ec::io;
  const char* hint = "";
  switch (number) {
  case ENOENT:
    code = ec::not_found;
    break;
  case EEXIST:
    code = ec::conflict;
    break;
  case ENOSPC:
  case EDQUOT:
    code = ec::resource;
    hint = "make room on the volume";
    break;
  case EMFILE:
  case ENFILE:
    code = ec::resource;
    hint = "raise the limit of open files";
    break;
  case EACCES:
  case EPERM:
  case EROFS:
    hint = "check the owner and the mode of the folder, and that it is mounted for writing";
    break;
  case ENOTDIR:
    hint = "a file is where a folder must be: name another folder, or move the file away";
    break;
  case EIO:
    hint = "the device failed: check the system's log";
    break;
  default:
    break;
  }
  return make_error(code, path + ": " + operation + ": " + std::strerror(number), hint);
}

error system_error(const std::string& path, const char* operation) {
  return system_error(path, operation, errno);
}

owned_file::~owned_file() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

result<owned_file> owned_file::open_to_read(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return system_error(path, "open");
  return owned_file{descriptor, path};
}

result<owned_file> owned_file::make_temporary(const std::string& prefix) {
  std::string path = prefix + "XXXXXX";
  const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0)
    return system_error(path, "create");
  return owned_file{descriptor, std::move(path)};
}

result<std::uint64_t> owned_file::size() const {
  struct stat status {};

  if (::fstat(descriptor_, &status) != 0)
    return system_error(path_, "stat");
  return static_cast<std::uint64_t>(status.st_size);
}

result<void> owned_file::read_at(std::uint64_t offset, void* to, std::size_t bytes) const {
  auto* next = static_cast<char*>(to);
  while (bytes != 0) {
    const auto got = ::pread(descriptor_, next, bytes, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return system_error(path_, "read");
    if (got == 0)
      return make_error(ec::corrupt,
                        path_ + ": read: the file ends at byte " + std::to_string(offset));
    next += got;
    offset += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::size_t>(got);
  }
  return {};
}

result<void> owned_file::write_at(std::uint64_t offset, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return system_error(path_, "write");
    if (put == 0)
      return system_error(path_, "write", EIO);
    offset += static_cast<std::uint64_t>(put);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

result<void> owned_file::sync() {
  if (::fsync(descriptor_) != 0)
    return system_error(path_, "sync");
  return {};
}

result<void> sync_folder(const std::string& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    return system_error(folder, "open");
  owned_file opened{descriptor, folder};
  return opened.sync();
}

result<void> rename_without_replacing(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno != EINVAL && errno != ENOSYS)
    return system_error(to, "rename");
  // File systems without that flag: a second name is never a replacement either.
  if (::link(from.c_str(), to.c_str()) != 0)
    return system_error(to, "rename");
  if (::unlink(from.c_str()) != 0)
    return system_error(from, "remove");
  return {};
}

result<void> remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return system_error(path, "remove");
  return {};
}

result<void> make_folder(const std::string& path, unsigned mode) {
  if (::mkdir(path.c_str(), mode) == 0)
    return sync_folder(folder_of(path));
  if (errno == ENOENT && folder_of(path) != path) {
    EBB_TRY(make_folder(folder_of(path)));
    if (::mkdir(path.c_str(), mode) == 0)
      return sync_folder(folder_of(path));
  }
  const int number = errno;

  struct stat status {};

  if (number == EEXIST && ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode))
    return {};
  return system_error(path, "create folder", number == EEXIST ? ENOTDIR : number);
}

result<std::vector<std::string>> list_files(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code problem;
  auto entry = std::filesystem::directory_iterator{folder, problem};
  for (; !problem && entry != std::filesystem::directory_iterator{}; entry.increment(problem)) {
    std::error_code unknown;
    if (entry->is_regular_file(unknown))
      names.push_back(entry->path().filename().string());
  }
  if (problem && problem != std::errc::no_such_file_or_directory)
    return system_error(folder, "list", problem.value());
  std::sort(names.begin(), names.end());
  return names;
}

result<void> refuse_network_file_system(const std::string& path) {
  struct statfs status {};

  if (::statfs(path.c_str(), &status) != 0)
    return system_error(path, "stat file system");
  if (const auto* name = network_file_system(status.f_type); name != nullptr)
    return make_error(ec::unsupported,
                      path + ": it lies on a network file system (" + name
                          + "), where locks and memory maps are not reliable",
                      "use a folder on a local disk");
  return {};
}

std::string folder_of(const std::string& path) {
  auto end = path.size();
  while (end > 1 && path[end - 1] == '/')
    --end;
  const auto slash = path.rfind('/', end == 0 ? 0 : end - 1);
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string file_name_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

} // namespace ebb
