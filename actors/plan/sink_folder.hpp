/// What a file sink's path leads to: a file, a folder that gets parts, or a device.
#pragma once

#include "actors/plan/manifest.hpp"

#include <string>
#include <sys/stat.h>

namespace ebb {

/// A path that ends in `/`, or that is a folder now. `folder`: where relative paths start.
[[nodiscard]] inline bool writes_parts(const file_sink& sink, const std::string& folder) {
  const auto& path = sink.path;
  if (!path.empty() && path.back() == '/')
    return true;

  struct stat info {};

  const bool relative = !folder.empty() && (path.empty() || path.front() != '/');
  const auto full = relative ? folder + '/' + path : path;
  return !path.empty() && ::stat(full.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

/// A pipe or a device: rows of several sinks may go there.
[[nodiscard]] inline bool is_special_file(const std::string& full) {
  struct stat info {};

  return ::stat(full.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

} // namespace ebb
