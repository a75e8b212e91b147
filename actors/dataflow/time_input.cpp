// Input of dates and timestamps: a short path for ISO 8601, and PostgreSQL's rules for all else.

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/time_decoder.hpp"
#include "actors/dataflow/time_text.hpp"

#include <cmath>

namespace ebb::time_input {

namespace {

error out_of_range(const char* type_name, std::string_view text) {
  return make_error(ec::evaluation,
                    std::string(type_name) + " out of range: \"" + std::string(text) + '"');
}

/// Two digits at `p`, or a number above 99 when they are none.
unsigned two_digits(const char* p) noexcept {
  const auto tens = static_cast<unsigned>(p[0] - '0');
  const auto ones = static_cast<unsigned>(p[1] - '0');
  return tens <= 9 && ones <= 9 ? tens * 10 + ones : 1000;
}

/// `YYYY-MM-DD` at `p`; false when it is not exactly that or no day of the calendar.
bool read_iso_date(const char* p, std::int64_t& days) noexcept {
  const auto year = two_digits(p) * 100 + two_digits(p + 2);
  const auto month = two_digits(p + 5);
  const auto day = two_digits(p + 8);
  if (year - 1 > 9998 || p[4] != '-' || month - 1 > 11 || p[7] != '-' || day - 1 > 30
      || (day > 28
          && day > static_cast<unsigned>(calendar::days_in_month(year, static_cast<int>(month)))))
    return false;
  days = calendar::days_of(year, static_cast<int>(month), static_cast<int>(day));
  return true;
}

/// The zone at the end of an ISO timestamp: nothing, `Z`, `+hh`, `+hhmm`, `+hh:mm`.
bool read_iso_zone(std::string_view rest, std::int64_t& seconds) noexcept {
  seconds = 0;
  if (rest.empty() || rest == "Z" || rest == "z")
    return true;
  if ((rest[0] != '+' && rest[0] != '-') || rest.size() < 3)
    return false;
  const auto hours = two_digits(rest.data() + 1);
  unsigned minutes = 0;
  if (rest.size() == 5)
    minutes = two_digits(rest.data() + 3);
  else if (rest.size() == 6 && rest[3] == ':')
    minutes = two_digits(rest.data() + 4);
  else if (rest.size() != 3)
    return false;
  if (hours > 15 || minutes > 59)
    return false;
  seconds = static_cast<std::int64_t>(hours * 3600 + minutes * 60);
  if (rest[0] == '-')
    seconds = -seconds;
  return true;
}

/// `YYYY-MM-DD hh:mm[:ss[.fraction]][zone]`; false sends the text to the full rules.
bool read_iso_timestamp(std::string_view text, bool apply_zone, micros& out) noexcept {
  constexpr std::size_t to_minutes = 16;
  if (text.size() < to_minutes)
    return false;
  const auto* p = text.data();
  std::int64_t days = 0;
  if ((p[10] != ' ' && p[10] != 'T' && p[10] != 't') || p[13] != ':' || !read_iso_date(p, days))
    return false;
  const auto hour = two_digits(p + 11);
  const auto minute = two_digits(p + 14);
  if (hour > 23 || minute > 59)
    return false;
  unsigned second = 0;
  std::int64_t fraction = 0;
  auto at = to_minutes;
  if (text.size() >= 19 && p[16] == ':') {
    second = two_digits(p + 17);
    if (second > 59)
      return false;
    at = 19;
    if (at < text.size() && p[at] == '.') {
      const auto start = ++at;
      std::int64_t digits = 0;
      for (; at < text.size() && is_digit(p[at]) && at - start < 15; ++at)
        digits = digits * 10 + (p[at] - '0');
      constexpr std::int64_t unit[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
      const auto count = at - start;
      if (count <= 6) {
        fraction = digits * unit[count];
      } else {
        // As PostgreSQL rounds: through a double, half to even.
        constexpr double power[] = {1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
        fraction = std::llrint(static_cast<double>(digits) / power[count - 7] * 1e6);
      }
    }
  }
  std::int64_t zone = 0;
  if (!read_iso_zone(text.substr(at), zone))
    return false;
  out = days * micros_per_day + hour * calendar::micros_per_hour
        + minute * calendar::micros_per_minute + second * micros_per_second + fraction;
  if (apply_zone)
    out -= zone * micros_per_second;
  return true;
}

} // namespace

} // namespace ebb::time_input

namespace ebb {

result<micros> parse_timestamp(std::string_view text, bool apply_zone) {
  micros quick = 0;
  if (time_input::read_iso_timestamp(text, apply_zone, quick))
    return quick;
  EBB_ASSIGN(const auto parts,
             time_input::decode(text, apply_zone ? "timestamp with time zone" : "timestamp"));
  switch (parts.value) {
  case time_input::special::epoch:
    return micros{0};
  case time_input::special::infinity:
    return max_time;
  case time_input::special::minus_infinity:
    return min_time;
  case time_input::special::none:
    break;
  }
  // 128 bits, since years far out of range get here.
  int128 total =
      calendar::days_of(parts.year, static_cast<int>(parts.month), static_cast<int>(parts.day));
  total = total * 86'400 + parts.hour * 3'600 + parts.minute * 60 + parts.second;
  if (apply_zone && parts.has_zone)
    total -= parts.zone;
  total = total * micros_per_second + parts.micros;
  if (total < calendar::min_timestamp || total > calendar::max_timestamp)
    return time_input::out_of_range("timestamp", text);
  return static_cast<micros>(total);
}

result<std::int32_t> parse_date(std::string_view text) {
  std::int64_t days = 0;
  if (text.size() == 10 && time_input::read_iso_date(text.data(), days))
    return static_cast<std::int32_t>(days);
  EBB_ASSIGN(const auto parts, time_input::decode(text, "date"));
  switch (parts.value) {
  case time_input::special::epoch:
    return std::int32_t{0};
  case time_input::special::infinity:
    return calendar::date_infinity;
  case time_input::special::minus_infinity:
    return calendar::date_minus_infinity;
  case time_input::special::none:
    break;
  }
  days = calendar::days_of(parts.year, static_cast<int>(parts.month), static_cast<int>(parts.day));
  if (days < calendar::min_date || days >= calendar::end_date)
    return time_input::out_of_range("date", text);
  return static_cast<std::int32_t>(days);
}

} // namespace ebb
