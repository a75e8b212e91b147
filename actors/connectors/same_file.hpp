/// Whether two paths mean one file.
#pragma once

#include <functional>
#include <string>

namespace ebb {

/// Tells whether another path means the file at `path`, also by a link, and also while there is
/// nothing yet; never for pipes and devices, which writers share. Both are absolute. Looks at the
/// file system. Blocks.
[[nodiscard]] std::function<bool(const std::string&)> same_file_as(const std::string& path);

} // namespace ebb
