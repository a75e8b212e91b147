#include "storage/node_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

std::string segments_of(const std::string& folder) {
  return folder + "/segments";
}

std::string workers_of(const std::string& folder) {
  return folder + "/workers";
}

/// The folder that the lock is of.
std::string folder_of_lock(const std::string& lock) {
  return lock + ".files";
}

/// Given back when its process ends, however it does.
result<void> lock(const owned_file& file) {
  if (::flock(file.descriptor(), LOCK_EX | LOCK_NB) == 0)
    return {};
  return errno == EWOULDBLOCK ? make_error(ec::conflict, file.path() + ": in use")
                              : system_error(file.path(), "lock");
}

/// A new one, which is nobody's until it is locked: one that sweeps may take it for what is left of
/// somebody.
result<owned_file> new_lock(const std::string& folder) {
  constexpr int attempts_max = 100;
  for (int attempt = 0; attempt != attempts_max; ++attempt) {
    EBB_ASSIGN(auto file, owned_file::make_temporary(folder + "/worker-"));
    const auto held = lock(file);
    if (!held && held.error().code != ec::conflict)
      return held.error();

    struct stat status {};

    if (held && ::fstat(file.descriptor(), &status) == 0 && status.st_nlink != 0)
      return file;
  }
  return make_error(ec::conflict, folder + ": other processes keep removing new locks");
}

struct shared_copy {
  std::string path;
  std::uint64_t bytes = 0; ///< that it occupies
  std::int64_t used = 0;   ///< seconds since 1970
  bool in_use = false;
};

std::vector<shared_copy> copies_in(const std::string& folder) {
  std::vector<shared_copy> all;
  std::error_code problem;
  for (std::filesystem::directory_iterator x(folder, problem), end; !problem && x != end;
       x.increment(problem)) {
    struct stat status {};

    if (::stat(x->path().c_str(), &status) != 0 || !S_ISREG(status.st_mode))
      continue;
    constexpr std::uint64_t unit = 512; // of st_blocks
    all.push_back({x->path().string(), static_cast<std::uint64_t>(status.st_blocks) * unit,
                   std::max<std::int64_t>(status.st_atime, status.st_mtime), status.st_nlink > 1});
  }
  return all;
}

} // namespace

result<std::unique_ptr<node_cache>> node_cache::open(node_cache_options options) {
  constexpr unsigned ours = 0700;
  EBB_TRY(make_folder(segments_of(options.folder), ours));
  EBB_TRY(make_folder(workers_of(options.folder), ours));
  EBB_ASSIGN(auto held, new_lock(workers_of(options.folder)));
  auto own = folder_of_lock(held.path());
  std::unique_ptr<node_cache> made(
      new node_cache(std::move(options), std::move(own), std::move(held)));
  EBB_TRY(make_folder(made->own_, ours));
  EBB_TRY(made->prove());
  made->sweep();
  return made;
}

node_cache::~node_cache() {
  std::error_code ignored;
  std::filesystem::remove_all(own_, ignored);
  static_cast<void>(remove_file(lock_.path()));
}

/// Some file systems, and mounts, do not give a file two names.
result<void> node_cache::prove() {
  const auto from = own_ + "/first", to = own_ + "/second";
  owned_file file{::open(from.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600), from};
  if (file.descriptor() < 0)
    return system_error(from, "create");
  if (::link(from.c_str(), to.c_str()) != 0)
    return system_error(to, "give a file a second name");
  EBB_TRY(remove_file(to));
  return remove_file(from);
}

/// What processes have left that are not there any more.
void node_cache::sweep() const {
  const auto folder = workers_of(options_.folder);
  const auto names = list_files(folder);
  if (!names)
    return;
  for (const auto& name : *names) {
    const auto path = folder + '/' + name;
    if (path == lock_.path())
      continue;
    const auto file = owned_file::open_to_read(path);
    if (!file || !lock(*file))
      continue;
    std::error_code ignored;
    std::filesystem::remove_all(folder_of_lock(path), ignored);
    static_cast<void>(remove_file(path));
  }
}

std::string node_cache::path_of(const digest128& segment) const {
  return segments_of(options_.folder) + '/' + to_string(segment) + ".seg";
}

bool node_cache::take(const digest128& segment, const std::string& path) {
  if (!remove_file(path))
    return false;
  // Another thread may have been first.
  if (::link(path_of(segment).c_str(), path.c_str()) != 0)
    return errno == EEXIST;
  // Not every file system notes when a file is read.
  const struct timespec times[] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
  static_cast<void>(::utimensat(AT_FDCWD, path.c_str(), times, 0));
  return true;
}

void node_cache::give(const digest128& segment, const std::string& path, bool instead) {
  const auto shared = path_of(segment);
  if (instead) {
    const auto name = fmt::format("{}/given-{}", own_, ++names_);
    if (::link(path.c_str(), name.c_str()) == 0) {
      static_cast<void>(std::rename(name.c_str(), shared.c_str()));
      static_cast<void>(remove_file(name)); // where both were the same file
    }
  } else if (::link(path.c_str(), shared.c_str()) != 0) {
    return;
  }
  make_room();
}

void node_cache::drop(const digest128& segment) {
  static_cast<void>(remove_file(path_of(segment)));
}

void node_cache::make_room() {
  std::lock_guard guard(mutex_);
  auto all = copies_in(segments_of(options_.folder));
  std::uint64_t sum = 0;
  for (const auto& x : all)
    sum += x.bytes;
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  for (const auto& x : all) {
    if (sum <= options_.bytes_max)
      return;
    // Its room would not be free.
    if (!x.in_use && remove_file(x.path))
      sum -= x.bytes;
  }
}

} // namespace ebb
