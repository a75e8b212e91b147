#include "actors/connectors/file_reopen.hpp"

#include <algorithm>
#include <cstring>
#include <sys/stat.h>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t block_size = std::size_t{64} << 10;
constexpr const char* may_only_grow =
    "a source's files may only grow; put the file back as it was, or start over with --from fresh";

error shrunk(const named_file& file, std::uint64_t size, const text_position& at) {
  return make_error(ec::corrupt,
                    file.shown + " has only " + std::to_string(size) + " bytes, but "
                        + std::to_string(at.offset) + " bytes of it were read before",
                    may_only_grow);
}

error changed(const named_file& file, const text_position& at) {
  return make_error(ec::corrupt,
                    file.shown + " was changed or replaced: its first " + std::to_string(at.offset)
                        + " bytes are not those that were read before",
                    may_only_grow);
}

result<void> check_regular(const named_file& file, const text_position& at) {
  struct stat info {};

  if (::stat(file.path.c_str(), &info) != 0 || S_ISREG(info.st_mode))
    return {};
  return make_error(ec::unsupported,
                    file.shown + " is no regular file: it cannot be read again from byte "
                        + std::to_string(at.offset),
                    "let the stream read a file, or start over with --from fresh");
}

} // namespace

result<reopened_text> reopen(const named_file& file, const text_position& at,
                             const std::function<bool()>& stopped) {
  EBB_TRY(check_regular(file, at));
  reopened_text made;
  EBB_ASSIGN(made.rest, open_reader(file.path, file.shown, stopped));
  made.header = make_chunk(at.header);
  std::vector<char> block(block_size);
  const auto start = std::max(at.header, std::min<std::uint64_t>(at.offset, text_trail::most));
  std::uint64_t done = 0;
  while (done != at.offset) {
    if (stopped())
      return make_error(ec::cancelled, "the stream was stopped");
    if (done == start && at.offset - done > text_trail::most) {
      // What lies between is not looked at, where the file lets it be left out.
      EBB_ASSIGN(const bool moved, made.rest->seek(at.offset - text_trail::most));
      if (moved) {
        done = at.offset - text_trail::most;
        made.trail.skip();
      }
    }
    const auto until = done < start ? start : at.offset;
    const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(block_size, until - done));
    EBB_ASSIGN(const auto count, made.rest->read(block.data(), room));
    if (count == 0)
      return shrunk(file, done, at);
    if (done < at.header) {
      const auto part = std::min<std::uint64_t>(count, at.header - done);
      std::memcpy(made.header.end, block.data(), part);
      made.header.end += part;
    }
    made.trail.add(block.data(), count);
    done += count;
  }
  if (made.trail.first_hash() != at.first_hash || made.trail.last_hash() != at.last_hash)
    return changed(file, at);
  return made;
}

} // namespace ebb
