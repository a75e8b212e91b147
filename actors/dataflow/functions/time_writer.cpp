#include "actors/dataflow/functions/time_writer.hpp"

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/functions/interval_date.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/time_tokens.hpp"

namespace ebb::time_pattern {

namespace {

using time_kernel::interval_date;
using time_kernel::iso_week;
using time_kernel::julian_day;

interval_date date_of(const shown& x) noexcept {
  return {static_cast<std::int32_t>(x.year), static_cast<std::int32_t>(x.month),
          static_cast<std::int32_t>(x.day)};
}

std::int64_t julian_of(const shown& x) noexcept {
  return x.is_interval ? julian_day(date_of(x)) : x.days + calendar::unix_epoch_julian;
}

/// Number of the seven days that `day` is in; wraps as PostgreSQL's does.
std::int32_t week_with(std::int64_t day) noexcept {
  return static_cast<std::int32_t>(day - 1) / 7 + 1;
}

struct shown_week {
  std::int64_t year;
  std::int64_t week;
  std::int64_t day_of_year;
};

shown_week week_of(const shown& x) noexcept {
  if (x.is_interval) {
    const auto week = iso_week(date_of(x));
    return {week.year, week.week, week.day_of_year};
  }
  const auto week = calendar::iso_week_of(x.days);
  return {week.year, week.week, x.days - calendar::iso_year_start(week.year) + 1};
}

/// As printf's `%0*d`: the sign counts into the width.
void put_number(std::string& out, std::int64_t value, std::size_t width) {
  auto digits = std::to_string(value < 0 ? -value : value);
  const auto used = digits.size() + (value < 0 ? 1 : 0);
  if (value < 0)
    out += '-';
  if (used < width)
    out.append(width - used, '0');
  out += digits;
}

std::string in_letters(std::string_view text, letters how) {
  std::string out(text);
  for (auto& c : out) {
    if (how == letters::lower)
      c = time_input::lower(c);
    else if (how == letters::upper && c >= 'a' && c <= 'z')
      c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

/// A name, padded on the right unless FM or TM says not to.
void put_name(std::string& out, const node& item, std::string_view name, std::size_t width) {
  const auto text = in_letters(name, item.letters_of);
  out += text;
  if (!item.fill && !item.translated && text.size() < width)
    out.append(width - text.size(), ' ');
}

constexpr std::int64_t shown_year(const shown& x, std::int64_t year) noexcept {
  return x.is_interval || year > 0 ? year : 1 - year;
}

void put_year(std::string& out, const node& item, const shown& x, std::int64_t year) {
  constexpr std::int64_t powers[] = {1, 10, 100, 1'000};
  const auto digits = item.key->digits;
  const auto adjusted = shown_year(x, year);
  const auto value = digits == 4 ? adjusted : adjusted % powers[digits];
  const auto width = digits + (shown_year(x, x.year) < 0 && digits > 1 ? 1U : 0U);
  put_number(out, value, item.fill && digits > 1 ? 0 : width);
}

std::int64_t century_of(const shown& x) noexcept {
  if (x.is_interval)
    return x.year / 100;
  return x.year > 0 ? (x.year - 1) / 100 + 1 : x.year / 100 - 1;
}

void put_roman_month(std::string& out, const node& item, const shown& x) {
  if (x.month == 0 && x.year == 0)
    return;
  std::size_t index = 0;
  if (x.month == 0)
    index = x.year >= 0 ? 0 : 11;
  else if (x.month < 0)
    index = static_cast<std::size_t>(-(x.month + 1));
  else
    index = static_cast<std::size_t>(12 - x.month);
  node plain = item;
  plain.translated = false;
  put_name(out, plain, roman_months[index], 4);
}

void put_clock_field(std::string& out, const node& item, const shown& x) {
  const auto two = [&](std::int64_t value) {
    put_number(out, value, item.fill ? 0 : (value >= 0 ? 2 : 3));
  };
  switch (item.key->what) {
  case field::meridiem:
  case field::meridiem_dots: {
    const auto dots = item.key->what == field::meridiem_dots;
    const auto is_pm = x.hour % 24 >= 12;
    out += in_letters(is_pm ? (dots ? "P.M." : "PM") : (dots ? "A.M." : "AM"), item.letters_of);
    break;
  }
  case field::hour12: {
    const auto hour = x.hour % 12 == 0 ? 12 : x.hour % 12;
    put_number(out, hour, item.fill ? 0 : (x.hour >= 0 ? 2 : 3));
    break;
  }
  case field::hour24:
    two(x.hour);
    break;
  case field::minute:
    two(x.minute);
    break;
  case field::second:
    two(x.second);
    break;
  case field::second_of_day:
    put_number(out, x.hour * 3600 + x.minute * 60 + x.second, 0);
    break;
  default: {
    // Fractions: as many digits as the field has.
    constexpr std::int64_t units[] = {1'000'000, 100'000, 10'000, 1'000, 100, 10, 1};
    put_number(out, x.micros / units[item.key->digits], item.key->digits);
    break;
  }
  }
}

void put_date_field(std::string& out, const node& item, const shown& x) {
  const auto width = [&](std::size_t n) { return item.fill ? 0 : n; };
  const auto weekday = calendar::day_of_week(x.days);
  switch (item.key->what) {
  case field::era:
  case field::era_dots: {
    const auto dots = item.key->what == field::era_dots;
    out +=
        in_letters(x.year <= 0 ? (dots ? "B.C." : "BC") : (dots ? "A.D." : "AD"), item.letters_of);
    break;
  }
  case field::century: {
    const auto century = century_of(x);
    put_number(out, century, century < -99 ? 0 : width(century >= 0 ? 2 : 3));
    break;
  }
  case field::month_name:
    put_name(out, item, month_names[x.month - 1], 9);
    break;
  case field::month_short:
    put_name(out, item, std::string_view(month_names[x.month - 1]).substr(0, 3), 0);
    break;
  case field::day_name:
    put_name(out, item, day_names[weekday], 9);
    break;
  case field::day_short:
    put_name(out, item, std::string_view(day_names[weekday]).substr(0, 3), 0);
    break;
  case field::month:
    put_number(out, x.month, width(x.month >= 0 ? 2 : 3));
    break;
  case field::day_of_year:
    put_number(out, x.day_of_year, width(3));
    break;
  case field::iso_day_of_year:
    put_number(out, week_of(x).day_of_year, width(3));
    break;
  case field::day:
    put_number(out, x.day, width(2));
    break;
  case field::day_of_week:
    put_number(out, weekday + 1, 0);
    break;
  case field::iso_day_of_week:
    put_number(out, weekday == 0 ? 7 : weekday, 0);
    break;
  case field::week:
    put_number(out, week_with(x.day_of_year), width(2));
    break;
  case field::iso_week:
    put_number(out, week_of(x).week, width(2));
    break;
  case field::week_of_month:
    put_number(out, week_with(x.day), 0);
    break;
  case field::quarter:
    if (x.month != 0)
      put_number(out, (x.month - 1) / 3 + 1, 0);
    break;
  case field::roman_month:
    put_roman_month(out, item, x);
    break;
  case field::julian:
    put_number(out, julian_of(x), 0);
    break;
  case field::year_comma: {
    const auto year = shown_year(x, x.year);
    put_number(out, year / 1'000, 0);
    out += ',';
    put_number(out, year - year / 1'000 * 1'000, 3);
    break;
  }
  case field::year:
    put_year(out, item, x, x.year);
    break;
  case field::iso_year:
    put_year(out, item, x, week_of(x).year);
    break;
  default:
    break;
  }
}

/// The zone is always UTC.
void put_zone_field(std::string& out, const node& item, const shown& x) {
  switch (item.key->what) {
  case field::zone_name:
    if (x.has_zone)
      out += in_letters("UTC", item.letters_of);
    break;
  case field::zone_hour:
    out += "+00";
    break;
  case field::zone_minute:
    out += "00";
    break;
  default:
    out += item.fill ? "+0" : "+00";
    break;
  }
}

bool is_clock(field what) noexcept {
  switch (what) {
  case field::meridiem:
  case field::meridiem_dots:
  case field::hour12:
  case field::hour24:
  case field::minute:
  case field::second:
  case field::second_of_day:
  case field::fraction:
  case field::millisecond:
  case field::microsecond:
    return true;
  default:
    return false;
  }
}

bool is_zone(field what) noexcept {
  return what == field::zone_name || what == field::zone_hour || what == field::zone_minute
         || what == field::offset;
}

bool takes_ordinal(field what) noexcept {
  switch (what) {
  case field::meridiem:
  case field::meridiem_dots:
  case field::era:
  case field::era_dots:
  case field::month_name:
  case field::month_short:
  case field::day_name:
  case field::day_short:
  case field::roman_month:
  case field::fixed:
    return false;
  default:
    return !is_zone(what);
  }
}

} // namespace

shown shown_parts(micros t, bool has_zone) {
  const auto c = to_civil(t);
  shown out;
  out.year = c.year;
  out.month = c.month;
  out.day = c.day;
  out.hour = c.hour;
  out.minute = c.minute;
  out.second = c.second;
  out.micros = c.micros;
  out.days = calendar::floor_div(t, micros_per_day);
  out.day_of_year = calendar::day_of_year(out.days, c.year);
  out.has_zone = has_zone;
  return out;
}

shown shown_parts(const interval_value& x) {
  shown out;
  out.year = x.months / 12;
  out.month = x.months % 12;
  out.day = x.days;
  out.hour = x.micros / calendar::micros_per_hour;
  out.minute = x.micros / calendar::micros_per_minute % 60;
  out.second = x.micros / micros_per_second % 60;
  out.micros = x.micros % micros_per_second;
  // About how many days there are, in 32 bits that wrap.
  out.day_of_year = static_cast<std::int32_t>(x.months * std::int64_t{30} + x.days);
  out.is_interval = true;
  return out;
}

void write(const std::vector<node>& nodes, const shown& x, std::string& out) {
  for (const auto& item : nodes) {
    if (item.kind != node_kind::field) {
      out += item.text;
      continue;
    }
    const auto start = out.size();
    const auto what = item.key->what;
    if (is_clock(what))
      put_clock_field(out, item, x);
    else if (is_zone(what))
      put_zone_field(out, item, x);
    else
      put_date_field(out, item, x);
    if (item.ordinal && takes_ordinal(what) && out.size() > start) {
      const std::string_view ending = ordinal_of(std::string_view(out).substr(start));
      out += in_letters(ending, item.lower_ordinal ? letters::lower : letters::upper);
    }
  }
}

} // namespace ebb::time_pattern
