/// What savepoints may be called.
#pragma once

#include "schemas/error.hpp"

#include <string_view>

namespace ebb {

/// ec::invalid_argument for a name that no new savepoint may have. It is a DNS label, as all names
/// that people give are, and none of the words that mean something else behind `--from`.
[[nodiscard]] result<void> check_savepoint_name(std::string_view name);

} // namespace ebb
