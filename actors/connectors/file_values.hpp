/// Fast readers of the common spellings of numbers and times. Each answers false when the text is
/// not of that common form: the caller then takes the complete, slower reader.
#pragma once

#include "actors/connectors/file_scan.hpp"
#include "schemas/types.hpp"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace ebb::fast {

static_assert(std::endian::native == std::endian::little, "the readers take bytes low end first");

/// The number of up to 8 leading digits at `p` (8 readable bytes), and how many there are.
struct digits8 {
  std::uint32_t value;
  unsigned count;
};

[[nodiscard]] inline digits8 read_digits8(const char* p) noexcept {
  const std::uint64_t x = scan::load8(p);
  const std::uint64_t t = x ^ 0x3030303030303030U;
  const std::uint64_t other = (t | (t + 0x7676767676767676U)) & 0x8080808080808080U;
  // A carry out of a non-digit byte can only spoil bytes behind the first non-digit.
  const unsigned count = other == 0 ? 8U : static_cast<unsigned>(std::countr_zero(other)) / 8U;
  if (count == 0)
    return {0, 0};
  std::uint64_t v = t << (64 - 8 * count);
  v = (v * 10) + (v >> 8);
  v = (((v & 0x000000FF000000FFU) * 0x000F424000000064U)
       + (((v >> 16) & 0x000000FF000000FFU) * 0x0000271000000001U))
      >> 32;
  return {static_cast<std::uint32_t>(v), count};
}

/// Reads `-?digits` with at most 18 digits from `p`; returns the end, or null when there is no
/// digit or there are more. 24 bytes from `p` must be readable. Leading zeros are taken.
[[nodiscard]] inline const char* read_int(const char* p, std::int64_t& out) noexcept {
  const bool negative = *p == '-';
  p += negative;
  const auto a = read_digits8(p);
  std::uint64_t value = a.value;
  p += a.count;
  if (a.count == 8) {
    const auto b = read_digits8(p);
    static constexpr std::array<std::uint64_t, 9> powers = {
        1, 10, 100, 1'000, 10'000, 100'000, 1'000'000, 10'000'000, 100'000'000};
    value = value * powers[b.count] + b.value;
    p += b.count;
    if (b.count == 8) {
      const auto c = read_digits8(p);
      if (c.count > 2)
        return nullptr;
      value = value * powers[c.count] + c.value;
      p += c.count;
    }
  } else if (a.count == 0) {
    return nullptr;
  }
  out = negative ? -static_cast<std::int64_t>(value) : static_cast<std::int64_t>(value);
  return p;
}

/// Reads `-?digits[.digits]` of at most 15 digits in all; the result is the nearest double, since
/// both parts are exact. Returns the end of the digits, or null. 32 bytes must be readable.
[[nodiscard]] inline const char* read_double(const char* p, double& out) noexcept {
  static constexpr std::array<double, 16> powers = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                    1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  const bool negative = *p == '-';
  p += negative;
  std::uint64_t mantissa = 0;
  int digits = 0;
  for (; static_cast<unsigned char>(*p - '0') < 10; ++p, ++digits) {
    if (digits == 15)
      return nullptr;
    mantissa = mantissa * 10 + static_cast<unsigned char>(*p - '0');
  }
  if (digits == 0)
    return nullptr;
  int places = 0;
  if (*p == '.') {
    ++p;
    for (; static_cast<unsigned char>(*p - '0') < 10; ++p, ++places) {
      if (digits + places == 15)
        return nullptr;
      mantissa = mantissa * 10 + static_cast<unsigned char>(*p - '0');
    }
    if (places == 0)
      return nullptr;
  }
  const double value = static_cast<double>(mantissa) / powers[static_cast<std::size_t>(places)];
  out = negative ? -value : value;
  return p;
}

/// The last date read and its microseconds: dates repeat from row to row.
struct date_cache {
  std::uint64_t head = 0x2D31302D30373931U; ///< the bytes `1970-01-`
  std::uint16_t tail = 0x3130U;             ///< `01`
  micros time = 0;
};

/// Reads `YYYY-MM-DD[T ]HH:MM:SS[.f]` (up to six fraction digits; the years 1 to 9999). Returns the
/// end, or null. 40 bytes from `p` must be readable.
[[nodiscard]] const char* read_timestamp(const char* p, date_cache& cache, micros& out) noexcept;

} // namespace ebb::fast
