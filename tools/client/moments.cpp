#include "tools/client/moments.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace ebb::client {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

/// Digits of a fixed width, at a place of the text.
std::optional<int> number_at(std::string_view text, std::size_t place, std::size_t width) {
  if (place + width > text.size())
    return std::nullopt;
  int value = 0;
  for (const char c : text.substr(place, width)) {
    if (c < '0' || c > '9')
      return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return value;
}

/// `3h5m`; the second part only where it is not zero.
std::string two(std::int64_t great, char great_unit, std::int64_t small, char small_unit) {
  auto text = std::to_string(great) + great_unit;
  if (small != 0)
    text += std::to_string(small) + small_unit;
  return text;
}

} // namespace

std::optional<std::int64_t> parse_time(std::string_view text) {
  // 2026-01-31T12:00:00
  constexpr std::size_t seconds_end = 19;
  std::array<int, 6> fields{};
  constexpr std::array<std::pair<std::size_t, std::size_t>, 6> places{
      {{0, 4}, {5, 2}, {8, 2}, {11, 2}, {14, 2}, {17, 2}}};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const auto value = number_at(text, places[i].first, places[i].second);
    if (!value)
      return std::nullopt;
    fields[i] = *value;
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != ' ') || text[13] != ':'
      || text[16] != ':' || fields[3] > 23 || fields[4] > 59 || fields[5] > 60)
    return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{fields[0]},
                                         std::chrono::month{static_cast<unsigned>(fields[1])},
                                         std::chrono::day{static_cast<unsigned>(fields[2])}};
  if (!date.ok())
    return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  std::int64_t time = days * day + fields[3] * hour + fields[4] * minute + fields[5] * second;
  auto rest = text.substr(seconds_end);
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    std::int64_t unit = second;
    std::size_t digits = 0;
    for (; digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9'; ++digits) {
      unit /= 10;
      time += unit * (rest[digits] - '0');
    }
    if (digits == 0)
      return std::nullopt;
    rest.remove_prefix(digits);
  }
  if (rest == "Z" || rest == "z")
    return time;
  // +02:00
  const auto hours = number_at(rest, 1, 2);
  const auto minutes = number_at(rest, 4, 2);
  if (rest.size() != 6 || (rest[0] != '+' && rest[0] != '-') || rest[3] != ':' || !hours
      || !minutes)
    return std::nullopt;
  const auto zone = *hours * hour + *minutes * minute;
  return rest[0] == '+' ? time - zone : time + zone;
}

std::int64_t time_now() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string span_text(std::int64_t micros) {
  if (micros < 0)
    return "0s";
  if (micros < 2 * minute)
    return std::to_string(micros / second) + 's';
  if (micros < 10 * minute)
    return two(micros / minute, 'm', micros % minute / second, 's');
  if (micros < 3 * hour)
    return std::to_string(micros / minute) + 'm';
  if (micros < 8 * hour)
    return two(micros / hour, 'h', micros % hour / minute, 'm');
  if (micros < 2 * day)
    return std::to_string(micros / hour) + 'h';
  if (micros < 8 * day)
    return two(micros / day, 'd', micros % day / hour, 'h');
  return std::to_string(micros / day) + 'd';
}

std::string age_text(std::string_view time, std::int64_t now) {
  const auto moment = parse_time(time);
  return moment ? span_text(now - *moment) : std::string(time);
}

std::string ahead_text(std::string_view time, std::int64_t now) {
  const auto moment = parse_time(time);
  if (!moment)
    return std::string(time);
  return *moment <= now ? "now" : "in " + span_text(*moment - now);
}

} // namespace ebb::client
