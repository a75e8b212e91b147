#include "actors/connectors/output_tail.hpp"

#include "actors/connectors/file_digest.hpp"
#include "storage/digest.hpp"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace ebb {

void output_tail::add(const char* bytes, std::size_t size) {
  if (size >= most) {
    bytes_.assign(bytes + (size - most), most);
    return;
  }
  bytes_.append(bytes, size);
  if (bytes_.size() > 4 * most)
    bytes_.erase(0, bytes_.size() - most);
}

result<void> output_tail::read(const descriptor& file, std::uint64_t end,
                               const std::string& shown) {
  const auto size = std::min<std::uint64_t>(most, end);
  bytes_.resize(static_cast<std::size_t>(size));
  for (std::size_t done = 0; done != bytes_.size();) {
    const auto count = ::pread(file.number(), bytes_.data() + done, bytes_.size() - done,
                               static_cast<off_t>(end - size + done));
    if (count < 0 && errno == EINTR)
      continue;
    if (count <= 0)
      return file_error("read", shown, count < 0 ? errno : EIO);
    done += static_cast<std::size_t>(count);
  }
  return {};
}

digest128 output_tail::digest() const {
  if (bytes_.empty())
    return {};
  const auto size = std::min(most, bytes_.size());
  digester hash;
  hash.add(bytes_.data() + (bytes_.size() - size), size);
  return hash.value();
}

result<bool> ends_with(const descriptor& file, const sealed_output& output,
                       const std::string& shown) {
  if (output.digest == digest128{} || output.offset + output.bytes == 0)
    return true;
  if (output.bytes == 0) {
    output_tail tail;
    EBB_TRY(tail.read(file, output.offset, shown));
    return tail.digest() == output.digest;
  }
  EBB_ASSIGN(const auto found, digest_of(file, output.offset, output.bytes, shown));
  return found == output.digest;
}

} // namespace ebb
