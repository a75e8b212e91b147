#include "actors/connectors/file_digest.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t block_size = std::size_t{256} << 10;

} // namespace

result<digest128> digest_of(const descriptor& file, std::uint64_t offset, std::uint64_t bytes,
                            const std::string& shown) {
  digester hash;
  std::vector<char> block(std::min<std::uint64_t>(block_size, bytes));
  while (bytes != 0) {
    const auto count =
        ::pread(file.number(), block.data(), std::min<std::uint64_t>(block.size(), bytes),
                static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return file_error("read", shown, errno);
    if (count == 0)
      break;
    hash.add(block.data(), static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
    bytes -= static_cast<std::uint64_t>(count);
  }
  return hash.value();
}

result<void> sync_file(const descriptor& file, const std::string& shown) {
  if (::fsync(file.number()) != 0 && errno != EINVAL && errno != EROFS)
    return file_error("write", shown, errno);
  return {};
}

std::string parent_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

result<void> sync_folder_of(const std::string& path) {
  const auto folder = parent_folder_of(path);
  const descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0)
    return file_error("open", folder, errno);
  return sync_file(opened, folder);
}

} // namespace ebb
