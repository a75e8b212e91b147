/// Memory that threads keep for their next buffers.
#pragma once

#include <cstddef>

namespace ebb {

/// Frees what all threads keep: for a process that rests. Threads that work meanwhile go on, and
/// begin with empty caches. Thread-safe; takes microseconds a thread.
void give_buffers_back() noexcept;

/// Bytes that all threads keep, about.
[[nodiscard]] std::size_t kept_buffer_bytes() noexcept;

} // namespace ebb
