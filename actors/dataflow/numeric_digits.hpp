/// Decimal digits of 128-bit integers. Internal to the numeric sources.
#pragma once

#include "actors/dataflow/numeric_small.hpp"

#include <charconv>
#include <cstring>
#include <string>

namespace ebb {

/// Room for the digits of any 128-bit magnitude.
inline constexpr std::size_t digits_max = 39;

/// Writes the decimal digits of x (`0` for 0) and returns how many.
inline std::size_t write_digits(uint128 x, char* out) noexcept {
  constexpr std::uint64_t chunk = 1'000'000'000'000'000'000U; // 10^18
  constexpr std::size_t chunk_digits = 18;
  char* const end = out + digits_max;
  if (x < chunk)
    return static_cast<std::size_t>(std::to_chars(out, end, static_cast<std::uint64_t>(x)).ptr
                                    - out);
  const std::size_t head = write_digits(x / chunk, out);
  char tail[digits_max];
  const auto size = static_cast<std::size_t>(
      std::to_chars(tail, tail + sizeof tail, static_cast<std::uint64_t>(x % chunk)).ptr - tail);
  std::memset(out + head, '0', chunk_digits - size);
  std::memcpy(out + head + chunk_digits - size, tail, size);
  return head + chunk_digits;
}

} // namespace ebb
