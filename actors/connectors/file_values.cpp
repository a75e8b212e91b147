#include "actors/connectors/file_values.hpp"

namespace ebb::fast {

namespace {

// Digits where `pattern` has '0', the very byte elsewhere.
constexpr std::uint64_t date_pattern = 0x2D30302D30303030U; // "0000-00-"
constexpr std::uint64_t date_limits = 0x7F76767F76767676U;
constexpr std::uint64_t time_pattern = 0x30303A30303A3030U; // "00:00:00"
constexpr std::uint64_t time_limits = 0x76767F76767F7676U;
constexpr std::uint64_t high_bits = 0x8080808080808080U;

// Adding the limit sets the high bit of a digit above 9 and of a separator that differs.
bool matches(std::uint64_t t, std::uint64_t limits) noexcept {
  return ((t | (t + limits)) & high_bits) == 0;
}

unsigned pair(std::uint64_t t, unsigned byte) noexcept {
  return static_cast<unsigned>((t >> (8 * byte)) & 0xF) * 10
         + static_cast<unsigned>((t >> (8 * byte + 8)) & 0xF);
}

bool leap(unsigned year) noexcept {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

unsigned month_days(unsigned year, unsigned month) noexcept {
  static constexpr std::array<std::uint8_t, 12> days = {31, 28, 31, 30, 31, 30,
                                                        31, 31, 30, 31, 30, 31};
  return days[month - 1] + (month == 2 && leap(year) ? 1U : 0U);
}

// Days from 1970-01-01 by counting from March of year 0, in eras of 400 years.
std::int64_t days_of(unsigned year, unsigned month, unsigned day) noexcept {
  const std::int64_t y = static_cast<std::int64_t>(year) - (month <= 2 ? 1 : 0);
  const std::int64_t shifted = (month + 9) % 12;
  const std::int64_t day_of_year = (153 * shifted + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

} // namespace

const char* read_timestamp(const char* p, date_cache& cache, micros& out) noexcept {
  const std::uint64_t head = scan::load8(p);
  std::uint16_t tail = 0;
  std::memcpy(&tail, p + 8, sizeof tail);
  if (head != cache.head || tail != cache.tail) {
    const std::uint64_t t = head ^ date_pattern;
    const auto d = static_cast<std::uint64_t>(tail) ^ 0x3030U;
    if (!matches(t, date_limits) || ((d | (d + 0x7676U)) & 0x8080U) != 0)
      return nullptr;
    const unsigned year = pair(t, 0) * 100 + pair(t, 2);
    const unsigned month = pair(t, 5);
    const unsigned day = pair(d, 0);
    // y / 4 - y / 100 rounds towards zero, so January of year 1 (y = 0) is the first that fits.
    if (year < 1 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
      return nullptr;
    cache = {head, tail, days_of(year, month, day) * micros_per_day};
  }
  if (p[10] != 'T' && p[10] != ' ')
    return nullptr;
  const std::uint64_t t = scan::load8(p + 11) ^ time_pattern;
  if (!matches(t, time_limits))
    return nullptr;
  const unsigned hour = pair(t, 0);
  const unsigned minute = pair(t, 3);
  const unsigned second = pair(t, 6);
  if (hour > 23 || minute > 59 || second > 59)
    return nullptr;
  micros fraction = 0;
  p += 19;
  if (*p == '.') {
    static constexpr std::array<std::uint32_t, 7> scale = {0, 100'000, 10'000, 1'000, 100, 10, 1};
    const auto f = read_digits8(p + 1);
    if (f.count == 0 || f.count > 6)
      return nullptr;
    fraction = static_cast<micros>(f.value) * scale[f.count];
    p += 1 + f.count;
  }
  out = cache.time + (static_cast<micros>(hour) * 3600 + minute * 60 + second) * micros_per_second
        + fraction;
  return p;
}

} // namespace ebb::fast
