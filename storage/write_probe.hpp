/// Whether a folder takes durable writes now.
#pragma once

#include "schemas/error.hpp"

#include <string>

namespace ebb {

/// Writes some bytes into a file that nobody sees, and has them on the disk when it returns.
/// ec::resource where there is no room. Blocks.
[[nodiscard]] result<void> probe_writing(const std::string& folder);

} // namespace ebb
