#include "tools/benchmarks/scratch_folder.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace ebb::bench {

namespace {

std::filesystem::path cache_folder() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/')
    return cache;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/')
    return std::filesystem::path(home) / ".cache";
  return std::filesystem::temp_directory_path();
}

} // namespace

scratch_folder::scratch_folder() {
  std::error_code problem;
  const auto parent = cache_folder() / "ebb";
  std::filesystem::create_directories(parent, problem);
  auto pattern = (parent / "bench-XXXXXX").string();
  if (mkdtemp(pattern.data()) != nullptr)
    path_ = pattern;
  else
    std::fprintf(stderr, "error: cannot make a folder in %s\n", parent.c_str());
}

scratch_folder::~scratch_folder() {
  std::error_code problem;
  if (!path_.empty())
    std::filesystem::remove_all(path_, problem);
}

} // namespace ebb::bench
