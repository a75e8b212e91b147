/// Which files a source's path means.
#pragma once

#include "schemas/error.hpp"

#include <string>
#include <vector>

namespace ebb {

struct named_file {
  std::string path;
  std::string shown; ///< as messages name it: relative where the source's path is
};

/// `path` from `folder` on, unless it is absolute. An empty folder is the current one.
[[nodiscard]] std::string join_path(const std::string& folder, const std::string& path);

/// What was found of a path before anything runs: what it leads to is not there for ebb, be it
/// missing, forbidden or no file. Trying it later may help.
[[nodiscard]] error found_at_start(error problem);

/// Whether a path that names no file is a glob.
[[nodiscard]] bool is_glob(const std::string& path);

/// Whether a folder's file of this name is one of a source's: not a hidden one, nor what a file
/// sink is still writing.
[[nodiscard]] bool is_input_name(const std::string& name);

/// The files of a path that is a file, a folder (its files, but hidden ones, subfolders and
/// `*.part`) or a glob, in the order of their names' bytes. At least one, all readable.
[[nodiscard]] result<std::vector<named_file>> list_files(const std::string& path,
                                                         const std::string& folder);

} // namespace ebb
