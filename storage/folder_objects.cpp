#include "storage/folder_objects.hpp"

#include "storage/digest.hpp"
#include "storage/failpoint.hpp"
#include "storage/files.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ebb {

namespace {

constexpr std::size_t name_bytes_max = 240;

error no_name(const std::string& name) {
  return make_error(ec::invalid_argument, "a stream has no file named '" + name + "'");
}

result<owned_file> open_to_write(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0)
    return system_error(path, "create");
  return owned_file{descriptor, path};
}

/// The file is there already: is it the one that is sent?
result<std::uint64_t> compare(const std::string& path, std::uint64_t bytes,
                              const stored_piece& piece) {
  bool same = bytes == piece.total;
  if (same && piece.digest) {
    EBB_ASSIGN(const auto digest, digest_of_file(path));
    same = digest == *piece.digest;
  }
  if (!same)
    return make_error(ec::conflict, path + " is there and is not what was sent");
  return bytes;
}

} // namespace

std::string folder_objects::folder_of(stored_area area) const {
  return folder_ + '/' + to_string(area);
}

result<std::string> folder_objects::path_of(stored_area area, const std::string& name) const {
  if (name.empty() || name.size() > name_bytes_max || name.front() == '.'
      || name.find('/') != std::string::npos || name.find('\0') != std::string::npos)
    return no_name(name);
  return folder_of(area) + '/' + name;
}

result<std::uint64_t> folder_objects::put(stored_area area, const std::string& name,
                                          const stored_piece& piece) {
  EBB_ASSIGN(const auto path, path_of(area, name));
  if (piece.offset > piece.total || piece.bytes.size() > piece.total - piece.offset)
    return make_error(ec::invalid_argument, "a piece lies outside of its file");
  if (const auto there = owned_file::open_to_read(path)) {
    EBB_ASSIGN(const auto bytes, there->size());
    return compare(path, bytes, piece);
  }
  const auto unfinished = path + unfinished_mark;
  auto file = open_to_write(unfinished);
  if (!file && file.error().code == ec::not_found) {
    EBB_TRY(make_folder(folder_of(area)));
    file = open_to_write(unfinished);
  }
  if (!file)
    return std::move(file).error();
  EBB_ASSIGN(auto have, file->size());
  const auto begin_again = [&]() -> result<std::uint64_t> {
    if (::ftruncate(file->descriptor(), 0) != 0)
      return system_error(unfinished, "cut");
    return std::uint64_t{0};
  };
  // Of a file of that name that was never finished.
  if (have > piece.total) {
    EBB_ASSIGN(have, begin_again());
  }
  if (piece.offset > have)
    return have;
  failpoint("store.write", failpoint_side::before);
  EBB_TRY(file->write_at(piece.offset, piece.bytes));
  failpoint("store.write", failpoint_side::after);
  have = std::max(have, piece.offset + piece.bytes.size());
  if (!piece.digest || have != piece.total)
    return have;
  EBB_ASSIGN(const auto digest, digest_of_file(unfinished));
  if (digest != *piece.digest)
    return begin_again();
  failpoint("store.sync", failpoint_side::before);
  if (auto synced = file->sync(); !synced) {
    // What is on the disk is not known any more, and another sync would not tell.
    static_cast<void>(remove_file(unfinished));
    return std::move(synced).error();
  }
  failpoint("store.sync", failpoint_side::after);
  failpoint("store.rename", failpoint_side::before);
  EBB_TRY(rename_without_replacing(unfinished, path));
  EBB_TRY(sync_folder(folder_of(area)));
  failpoint("store.rename", failpoint_side::after);
  return have;
}

result<std::string> folder_objects::read(stored_area area, const std::string& name,
                                         std::uint64_t offset, std::uint64_t bytes) {
  EBB_ASSIGN(const auto path, path_of(area, name));
  EBB_ASSIGN(const auto file, owned_file::open_to_read(path));
  EBB_ASSIGN(const auto all, file.size());
  if (offset >= all)
    return std::string{};
  std::string piece(static_cast<std::size_t>(std::min({bytes, all - offset, stored_piece_max})),
                    '\0');
  EBB_TRY(file.read_at(offset, piece.data(), piece.size()));
  return piece;
}

result<std::vector<std::string>> folder_objects::list(stored_area area) {
  return list_files(folder_of(area));
}

result<void> folder_objects::remove(stored_area area, std::span<const std::string> names,
                                    std::uint64_t) {
  for (const auto& name : names) {
    EBB_ASSIGN(const auto path, path_of(area, name));
    EBB_TRY(remove_file(path));
  }
  return {};
}

} // namespace ebb
