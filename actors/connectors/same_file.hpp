/// Whether two paths mean one file.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace ebb {

/// The file behind a path, absolute and without links as far as it exists. A link to what is not
/// there yet is followed, too: the first who writes makes its target. Blocks.
[[nodiscard]] std::filesystem::path real_path(std::filesystem::path path);

/// Whether both lead to one file, be it not there yet, or have it by a hard link. Blocks.
[[nodiscard]] bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

/// Tells whether another path means the file at `path`, also by a link, and also while there is
/// nothing yet; never for pipes and devices, which writers share. Both are absolute. Looks at the
/// file system. Blocks.
[[nodiscard]] std::function<bool(const std::string&)> same_file_as(const std::string& path);

} // namespace ebb
