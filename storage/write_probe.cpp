#include "storage/write_probe.hpp"

#include "storage/files.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace ebb {

namespace {

// More than a commit of a few records needs in an LMDB file that has no free page left.
constexpr std::size_t probe_bytes = 256 << 10;

/// The error without the name that the file has had.
error of_folder(const owned_file& file, error problem) {
  const auto prefix = file.path() + ": ";
  if (problem.message.starts_with(prefix))
    problem.message.erase(0, prefix.size());
  return problem;
}

} // namespace

result<void> probe_writing(const std::string& folder) {
  EBB_ASSIGN(auto file, owned_file::make_temporary(folder + "/.probe-"));
  EBB_TRY(remove_file(file.path()));
  // No zeros: a file system that compresses would find room for them.
  std::string bytes(probe_bytes, '\0');
  std::uint64_t x = 0x9e3779b97f4a7c15;
  for (auto& byte : bytes) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    byte = static_cast<char>(x);
  }
  if (auto done = file.write_at(0, bytes); !done)
    return of_folder(file, std::move(done).error());
  if (auto done = file.sync(); !done)
    return of_folder(file, std::move(done).error());
  return {};
}

} // namespace ebb
