/// Ctrl-C (SIGINT, SIGTERM) as something that every waiting call notices.
#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>

namespace ebb::client {

using deadline = std::chrono::steady_clock::time_point;

/// For waits without an end.
inline constexpr deadline never = deadline::max();

[[nodiscard]] deadline after(std::chrono::milliseconds time);

/// From now on the first signal makes the waits below fail, a second one ends the process. Broken
/// pipes become errors of the call that wrote. Signals belong to the process: called once by a
/// command that talks to a service.
void notice_interrupts();

[[nodiscard]] bool interrupted() noexcept;

/// ec::cancelled, for which commands exit with 130.
[[nodiscard]] error interrupted_error();

enum class readiness : std::uint8_t { readable, writable };

/// Until a descriptor is ready: true; false when the time is over first; ec::cancelled when
/// interrupted.
[[nodiscard]] result<bool> wait_for(int descriptor, readiness what, deadline until);

/// Sleeps; ec::cancelled when interrupted.
[[nodiscard]] result<void> pause_for(std::chrono::milliseconds time);

} // namespace ebb::client
