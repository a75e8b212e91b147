/// Checks of our own invariants. They stay on in release builds: a broken invariant stops the
/// process before it can write a wrong result.
#pragma once

namespace ebb::detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const char* message) noexcept;
}

#define EBB_ASSERT(condition)                                                                      \
  ((condition) ? static_cast<void>(0)                                                              \
               : ::ebb::detail::assertion_failed(#condition, __FILE__, __LINE__, ""))

#define EBB_UNREACHABLE(message)                                                                   \
  ::ebb::detail::assertion_failed("unreachable", __FILE__, __LINE__, message)
