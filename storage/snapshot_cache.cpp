#include "storage/snapshot_cache.hpp"

#include "storage/files.hpp"

#include <algorithm>
#include <filesystem>
#include <sys/stat.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

struct cached_file {
  std::string path;
  std::uint64_t bytes = 0; ///< that it occupies
  std::int64_t used = 0;   ///< seconds since 1970
};

std::vector<cached_file> cached_segments(const std::string& folder) {
  std::vector<cached_file> all;
  std::error_code problem;
  for (std::filesystem::recursive_directory_iterator x(folder, problem), end; !problem && x != end;
       x.increment(problem)) {
    struct stat status {};

    const auto& path = x->path();
    if (path.extension() != ".seg" || ::stat(path.c_str(), &status) != 0)
      continue;
    constexpr std::uint64_t unit = 512; // of st_blocks
    all.push_back({path.string(), static_cast<std::uint64_t>(status.st_blocks) * unit,
                   std::max<std::int64_t>(status.st_atime, status.st_mtime)});
  }
  return all;
}

} // namespace

std::shared_ptr<void> snapshot_cache::hold(const std::string& path) {
  std::lock_guard guard(mutex_);
  std::erase_if(held_, [](const auto& x) { return x.second.expired(); });
  auto& known = held_[path];
  auto handle = known.lock();
  if (!handle) {
    handle = std::make_shared<char>();
    known = handle;
  }
  return handle;
}

void snapshot_cache::is_kept(const std::string& path) {
  std::lock_guard guard(mutex_);
  kept_.insert(path);
}

void snapshot_cache::make_room(std::uint64_t bytes) {
  std::lock_guard guard(mutex_);
  auto all = cached_segments(options_.folder);
  std::uint64_t sum = bytes;
  for (const auto& x : all)
    sum += x.bytes;
  std::set<std::string> there;
  for (const auto& x : all)
    there.insert(x.path);
  std::erase_if(kept_, [&](const auto& x) { return there.count(x) == 0; });
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.used < b.used; });
  for (const auto& x : all) {
    if (sum <= options_.bytes_max)
      return;
    const auto held = held_.find(x.path);
    if (kept_.count(x.path) == 0 || (held != held_.end() && !held->second.expired()))
      continue;
    if (remove_file(x.path)) {
      sum -= x.bytes;
      kept_.erase(x.path);
    }
  }
}

} // namespace ebb
