/// 128-bit decimal arithmetic, checked: the fast path of NUMERIC. Internal to the numeric sources
/// and kernels. Magnitudes stay below 2^127, so that negation is always exact.
#pragma once

#include "schemas/types.hpp"

#include <array>
#include <cstdint>

namespace ebb {

using uint128 = unsigned __int128;

inline constexpr int128 int128_lowest = static_cast<int128>(uint128{1} << 127);
inline constexpr int power_of_ten_max = 38;

/// 10^0 … 10^38, all that 127 bits hold.
inline constexpr std::array<int128, power_of_ten_max + 1> powers_of_ten = [] {
  std::array<int128, power_of_ten_max + 1> powers{};
  int128 power = 1;
  for (std::size_t i = 0; i < powers.size(); ++i) {
    powers[i] = power;
    if (i + 1 < powers.size())
      power *= 10;
  }
  return powers;
}();

inline bool fits_int64(int128 x) noexcept {
  return x == static_cast<std::int64_t>(x);
}

/// a · b; false when it does not fit.
inline bool multiply_checked(int128 a, int128 b, int128& out) noexcept {
  if (fits_int64(a) && fits_int64(b)) {
    out = static_cast<int128>(static_cast<std::int64_t>(a)) * static_cast<std::int64_t>(b);
    return true;
  }
  return !__builtin_mul_overflow(a, b, &out) && out != int128_lowest;
}

inline bool add_checked(int128 a, int128 b, int128& out) noexcept {
  return !__builtin_add_overflow(a, b, &out) && out != int128_lowest;
}

/// x · 10^places for places ≥ 0; false when it does not fit.
inline bool scale_up(int128 x, int places, int128& out) noexcept {
  if (places > power_of_ten_max) {
    out = 0;
    return x == 0;
  }
  return multiply_checked(x, powers_of_ten[static_cast<std::size_t>(places)], out);
}

/// |x|, exact for every x.
inline uint128 magnitude(int128 x) noexcept {
  return x < 0 ? uint128{0} - static_cast<uint128>(x) : static_cast<uint128>(x);
}

/// x / 10^places for 0 ≤ places, rounded half away from zero.
inline int128 scale_down_rounded(int128 x, int places) noexcept {
  if (places > power_of_ten_max)
    return 0; // |x| < 2^127 < 10^39 / 2
  const auto divisor = static_cast<uint128>(powers_of_ten[static_cast<std::size_t>(places)]);
  const uint128 from = magnitude(x);
  uint128 quotient;
  uint128 rest;
  if (from <= UINT64_MAX && divisor <= UINT64_MAX) {
    quotient = static_cast<std::uint64_t>(from) / static_cast<std::uint64_t>(divisor);
    rest = from - quotient * divisor;
  } else {
    quotient = from / divisor;
    rest = from - quotient * divisor;
  }
  if (rest >= divisor - rest)
    ++quotient;
  return x < 0 ? -static_cast<int128>(quotient) : static_cast<int128>(quotient);
}

/// Decimal digits of |x|; 0 has none.
inline int count_digits(uint128 x) noexcept {
  int bits = static_cast<std::uint64_t>(x >> 64) != 0
                 ? 128 - __builtin_clzll(static_cast<std::uint64_t>(x >> 64))
             : static_cast<std::uint64_t>(x) != 0
                 ? 64 - __builtin_clzll(static_cast<std::uint64_t>(x))
                 : 0;
  // 1233/4096 is just below log10(2); for up to 128 bits the guess is exact or one too small.
  const int guess = (bits * 1233) >> 12;
  return guess
         + (x >= static_cast<uint128>(powers_of_ten[static_cast<std::size_t>(guess)]) ? 1 : 0);
}

/// x / 10^from_scale as NUMERIC(precision, scale) with 0 ≤ scale and 1 ≤ precision ≤ 38; false when
/// it does not fit the type (or a step does not fit 127 bits).
inline bool coerce_small(int128 x, int from_scale, const sql_type& type, int128& kept) noexcept {
  if (type.scale < 0 || type.precision > power_of_ten_max)
    return false;
  if (from_scale > type.scale)
    kept = scale_down_rounded(x, from_scale - type.scale);
  else if (!scale_up(x, type.scale - from_scale, kept))
    return false;
  return magnitude(kept)
         < static_cast<uint128>(powers_of_ten[static_cast<std::size_t>(type.precision)]);
}

/// Three-way comparison of a / 10^a_scale with b / 10^b_scale.
inline int compare_small(int128 a, int a_scale, int128 b, int b_scale) noexcept {
  int128 scaled;
  if (a_scale < b_scale) {
    if (!scale_up(a, b_scale - a_scale, scaled))
      return a < 0 ? -1 : 1; // larger than any 127-bit value
    a = scaled;
  } else if (b_scale < a_scale) {
    if (!scale_up(b, a_scale - b_scale, scaled))
      return b < 0 ? 1 : -1;
    b = scaled;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

} // namespace ebb
