/// Places where a test makes the process die, to prove that any crash can be recovered from.
///
/// `EBB_FAILPOINT=name:before` (or `:after`, and optionally `:nth`, counted from 1) ends the
/// process with exit code 137 there, without flushing or destroying anything. Costs one relaxed
/// load when the variable is not set.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

namespace ebb {

enum class failpoint_side : std::uint8_t { before, after };

inline constexpr int failpoint_exit_code = 137;

/// Arms one failpoint, as the environment variable does at start. Exits with 2 and a message where
/// the text is malformed; empty disarms.
void arm_failpoint(std::string_view text);

namespace detail {
extern std::atomic<bool> failpoint_armed;
void reach_failpoint(std::string_view name, failpoint_side side) noexcept;
} // namespace detail

/// Marks one side of a durable step. Any thread.
inline void failpoint(const char* name, failpoint_side side) noexcept {
  if (detail::failpoint_armed.load(std::memory_order_relaxed)) [[unlikely]]
    detail::reach_failpoint(name, side);
}

} // namespace ebb
