#include "actors/dataflow/time_text.hpp"

#include "actors/dataflow/calendar.hpp"

#include <cstdlib>

namespace ebb {

namespace {

/// `value` with at least `width` digits, zeros in front.
char* put_padded(char* out, std::int64_t value, int width) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = static_cast<char>('0' + value % 10);
    value /= 10;
  } while (value != 0);
  for (int i = count; i < width; ++i)
    *out++ = '0';
  while (count > 0)
    *out++ = digits[--count];
  return out;
}

char* put_two(char* out, int value) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
  return out + 2;
}

char* put_date(char* out, std::int64_t year, int month, int day) {
  out = put_padded(out, year > 0 ? year : 1 - year, 4);
  *out++ = '-';
  out = put_two(out, month);
  *out++ = '-';
  return put_two(out, day);
}

/// `.5` and the like; nothing for 0.
char* put_fraction(char* out, std::int32_t value) {
  if (value == 0)
    return out;
  *out++ = '.';
  std::int32_t unit = 100'000;
  while (value != 0) {
    *out++ = static_cast<char>('0' + value / unit);
    value %= unit;
    unit /= 10;
  }
  return out;
}

bool append_infinity(bool is_minus, bool is_plus, std::string& out) {
  if (is_minus)
    out += "-infinity";
  else if (is_plus)
    out += "infinity";
  return is_minus || is_plus;
}

void append_time(micros time, char separator, std::string_view zone, std::string& out) {
  if (append_infinity(time == min_time, time == max_time, out))
    return;
  const auto t = to_civil(time);
  char buffer[64];
  auto* p = put_date(buffer, t.year, t.month, t.day);
  *p++ = separator;
  p = put_two(p, t.hour);
  *p++ = ':';
  p = put_two(p, t.minute);
  *p++ = ':';
  p = put_two(p, t.second);
  p = put_fraction(p, t.micros);
  for (const auto c : zone)
    *p++ = c;
  out.append(buffer, static_cast<std::size_t>(p - buffer));
  if (t.year <= 0)
    out += " BC";
}

/// One part of an interval: `3 days`. A positive part after a negative one shows its sign.
void append_part(std::int32_t value, const char* unit, bool& first, bool& negative,
                 std::string& out) {
  if (value == 0)
    return;
  if (!first)
    out += ' ';
  if (negative && value > 0)
    out += '+';
  out += std::to_string(value);
  out += ' ';
  out += unit;
  if (value != 1)
    out += 's';
  negative = value < 0;
  first = false;
}

} // namespace

civil_time to_civil(micros time) noexcept {
  const auto days = calendar::floor_div(time, micros_per_day);
  // Not from the day's start, which lies out of range on the first day.
  const auto rest = (time % micros_per_day + micros_per_day) % micros_per_day;
  const auto date = calendar::parts_of(days);
  civil_time out;
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
  out.hour = static_cast<int>(rest / calendar::micros_per_hour);
  out.minute = static_cast<int>(rest / calendar::micros_per_minute % 60);
  out.second = static_cast<int>(rest / micros_per_second % 60);
  out.micros = static_cast<std::int32_t>(rest % micros_per_second);
  return out;
}

micros from_civil(const civil_time& t) noexcept {
  return calendar::days_of(t.year, t.month, t.day) * micros_per_day
         + t.hour * calendar::micros_per_hour + t.minute * calendar::micros_per_minute
         + t.second * micros_per_second + t.micros;
}

std::int32_t days_from_civil(std::int64_t year, int month, int day) noexcept {
  return static_cast<std::int32_t>(calendar::days_of(year, month, day));
}

void append_timestamp(micros time, std::string& out) {
  append_time(time, ' ', {}, out);
}

void append_timestamptz(micros time, std::string& out) {
  append_time(time, ' ', "+00", out);
}

void append_iso_timestamp(micros time, bool utc, std::string& out) {
  append_time(time, 'T', utc ? "Z" : "", out);
}

void append_date(std::int32_t days, std::string& out) {
  if (append_infinity(days == calendar::date_minus_infinity, days == calendar::date_infinity, out))
    return;
  const auto date = calendar::parts_of(days);
  char buffer[32];
  const auto* end = put_date(buffer, date.year, date.month, date.day);
  out.append(buffer, static_cast<std::size_t>(end - buffer));
  if (date.year <= 0)
    out += " BC";
}

void append_interval(const interval_value& x, std::string& out) {
  bool first = true;
  bool negative = false;
  append_part(x.months / 12, "year", first, negative, out);
  append_part(x.months % 12, "mon", first, negative, out);
  append_part(x.days, "day", first, negative, out);
  if (!first && x.micros == 0)
    return;
  if (!first)
    out += ' ';
  if (x.micros < 0)
    out += '-';
  else if (negative)
    out += '+';
  // The magnitude is taken unsigned, so that the smallest value has one.
  const auto magnitude = x.micros < 0 ? 0 - static_cast<std::uint64_t>(x.micros)
                                      : static_cast<std::uint64_t>(x.micros);
  constexpr auto hour = static_cast<std::uint64_t>(calendar::micros_per_hour);
  char buffer[48];
  auto* p = put_padded(buffer, static_cast<std::int64_t>(magnitude / hour), 2);
  const auto rest = static_cast<std::int64_t>(magnitude % hour);
  *p++ = ':';
  p = put_two(p, static_cast<int>(rest / calendar::micros_per_minute));
  *p++ = ':';
  p = put_two(p, static_cast<int>(rest / micros_per_second % 60));
  p = put_fraction(p, static_cast<std::int32_t>(rest % micros_per_second));
  out.append(buffer, static_cast<std::size_t>(p - buffer));
}

} // namespace ebb
