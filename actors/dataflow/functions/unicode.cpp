#include "actors/dataflow/functions/unicode.hpp"

#include <algorithm>

namespace ebb::unicode {

namespace {

/// The range that may contain `c`, or null.
template <class Range>
const Range* find_range(std::span<const Range> ranges, char32_t c) noexcept {
  const auto found =
      std::lower_bound(ranges.begin(), ranges.end(), c,
                       [](const Range& range, char32_t code) { return range.last < code; });
  if (found == ranges.end() || c < found->first || (c - found->first) % found->stride != 0)
    return nullptr;
  return &*found;
}

char32_t mapped(std::span<const case_range> ranges, char32_t c) noexcept {
  const auto* found = find_range(ranges, c);
  return found == nullptr ? c : c + static_cast<char32_t>(found->delta);
}

} // namespace

char32_t to_upper(char32_t c) noexcept {
  if (c < 0x80)
    return c >= 'a' && c <= 'z' ? c - 32 : c;
  return mapped(upper_of, c);
}

char32_t to_lower(char32_t c) noexcept {
  if (c < 0x80)
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
  return mapped(lower_of, c);
}

bool is_alnum(char32_t c) noexcept {
  if (c < 0x80)
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  return find_range(alpha, c) != nullptr;
}

} // namespace ebb::unicode
