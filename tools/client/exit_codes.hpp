/// Exit codes besides those of tools/cli/commands.hpp.
#pragma once

namespace ebb::client {

inline constexpr int exit_timed_out = 5;

} // namespace ebb::client
