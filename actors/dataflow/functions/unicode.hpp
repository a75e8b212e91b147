/// Classes and case of characters as in PostgreSQL with character type C.UTF-8 (glibc's tables).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ebb::unicode {

/// Code points first, first + stride, … last.
struct code_range {
  char32_t first;
  char32_t last;
  std::uint32_t stride = 1;
};

/// A range whose characters have another case at a distance of `delta`.
struct case_range {
  char32_t first;
  char32_t last;
  std::uint32_t stride;
  std::int32_t delta;
};

// Ascending and disjoint.
extern const std::span<const code_range> alpha; ///< letters, and digits beyond ASCII
extern const std::span<const code_range> punct; ///< visible and neither letter nor digit
extern const std::span<const code_range> lower;
extern const std::span<const code_range> upper;
extern const std::span<const case_range> upper_of; ///< characters with another upper case
extern const std::span<const case_range> lower_of; ///< characters with another lower case

/// One character to one character; `ß` has no upper case.
[[nodiscard]] char32_t to_upper(char32_t c) noexcept;
[[nodiscard]] char32_t to_lower(char32_t c) noexcept;
/// Letter or digit.
[[nodiscard]] bool is_alnum(char32_t c) noexcept;

} // namespace ebb::unicode
