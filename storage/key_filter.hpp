/// A filter that says of most absent keys that they are absent: 10 bits a key, one cache line a
/// question, about 1.3 % false positives.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ebb {

inline constexpr std::size_t filter_line_bytes = 64;

[[nodiscard]] std::uint64_t filter_hash(std::string_view stored_key) noexcept;

/// Whole lines; at least one.
[[nodiscard]] std::string build_filter(std::span<const std::uint64_t> hashes);

/// Byte offset of the line that answers for a key in a filter of `filter_bytes`.
[[nodiscard]] std::size_t filter_line_of(std::uint64_t hash, std::size_t filter_bytes) noexcept;

/// False: the key is not there.
[[nodiscard]] bool filter_may_contain(const char* line, std::uint64_t hash) noexcept;

} // namespace ebb
