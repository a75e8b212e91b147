#include "actors/connectors/file_paths.hpp"

#include "actors/connectors/file_io.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <dirent.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ebb {

namespace {

/// A file, or a link that leads nowhere: that is told when it is to be read.
bool is_file(const std::string& path) {
  struct stat info {};

  if (::stat(path.c_str(), &info) == 0)
    return S_ISREG(info.st_mode);
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

// glob(3) must not read the folder's name as a pattern.
std::string escaped(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '*' || c == '?' || c == '[' || c == ']' || c == '\\')
      out += '\\';
    out += c;
  }
  return out;
}

result<std::vector<std::string>> files_in(const std::string& folder, const std::string& shown) {
  DIR* handle = ::opendir(folder.c_str());
  if (handle == nullptr)
    return file_error("open", shown, errno);
  std::vector<std::string> names;
  while (const auto* entry = ::readdir(handle)) {
    const std::string name = entry->d_name;
    if (is_input_name(name) && is_file(folder + "/" + name))
      names.push_back(name);
  }
  ::closedir(handle);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> files_matching(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (is_file(found.gl_pathv[i]))
        paths.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  std::sort(paths.begin(), paths.end());
  return paths;
}

std::string where(const std::string& path, const std::string& folder) {
  if (path.front() == '/')
    return {};
  char resolved[PATH_MAX];
  const char* start = ::realpath(folder.empty() ? "." : folder.c_str(), resolved);
  return start == nullptr ? std::string{} : std::string("; the path starts at ") + start;
}

} // namespace

std::string join_path(const std::string& folder, const std::string& path) {
  if (folder.empty() || (!path.empty() && path.front() == '/'))
    return path;
  return folder.back() == '/' ? folder + path : folder + "/" + path;
}

error found_at_start(error problem) {
  if (problem.code == ec::io)
    problem.code = ec::not_found;
  return problem;
}

bool is_glob(const std::string& path) {
  return path.find_first_of("*?[") != std::string::npos;
}

bool is_input_name(const std::string& name) {
  return !name.starts_with('.') && !name.ends_with(".part");
}

result<std::vector<named_file>> list_files(const std::string& path, const std::string& folder) {
  if (path.empty())
    return make_error(ec::invalid_argument, "the path is empty");
  const auto full = join_path(folder, path);
  std::vector<named_file> files;

  struct stat info {};

  if (::stat(full.c_str(), &info) == 0) {
    if (!S_ISDIR(info.st_mode)) {
      files.push_back({full, path});
    } else {
      EBB_ASSIGN(const auto names, files_in(full, path));
      for (const auto& name : names)
        files.push_back({join_path(full, name), join_path(path, name)});
      if (files.empty())
        return make_error(ec::not_found, "the folder " + path + " holds no files",
                          "put files into it first" + where(path, folder));
    }
  } else if (const int problem = errno; is_glob(path)) {
    if (path.find("**") != std::string::npos)
      return make_error(ec::unsupported,
                        "** in the path " + path + ": a * matches within one folder",
                        "write a pattern for each level, such as */*.csv");
    const bool relative = full != path;
    const auto prefix = full.size() - path.size();
    const auto pattern = relative ? escaped(full.substr(0, prefix)) + path : path;
    for (auto& match : files_matching(pattern))
      files.push_back({match, relative ? match.substr(prefix) : match});
    if (files.empty())
      return make_error(ec::not_found, "no file matches " + path,
                        "check the pattern" + where(path, folder));
  } else {
    auto missing = file_error("open", path, problem);
    if (missing.hint.empty())
      missing.hint = "check the path" + where(path, folder);
    return missing;
  }
  for (const auto& file : files)
    if (::access(file.path.c_str(), R_OK) != 0)
      return file_error("read", file.shown, errno);
  return files;
}

} // namespace ebb
