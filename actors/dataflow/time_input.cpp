// Input of dates and timestamps: a short path for ISO 8601, and PostgreSQL's rules for all else.

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <cmath>
#include <cstdlib>

namespace ebb::time_input {

namespace {

/// Fields seen so far; each may be given once.
namespace mask {
constexpr unsigned year = 1;
constexpr unsigned month = 2;
constexpr unsigned day = 4;
constexpr unsigned time = 8;
constexpr unsigned zone = 16;
constexpr unsigned day_of_year = 32;
constexpr unsigned weekday = 64;
constexpr unsigned meridiem = 128;
constexpr unsigned era = 256;
constexpr unsigned reserved = 512;
constexpr unsigned date = year | month | day;
} // namespace mask

enum class special : std::uint8_t { none, epoch, minus_infinity, infinity };

/// What a text means, before it becomes a number.
struct decoded {
  std::int64_t year = 0;
  std::int64_t month = 0;
  std::int64_t day = 0;
  std::int64_t day_of_year = 0;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t micros = 0;
  std::int32_t zone = 0; ///< seconds east
  bool has_zone = false;
  special value = special::none;
};

/// Puts tokens together by PostgreSQL's rules (DateStyle ISO, MDY).
class decoder {
public:
  explicit decoder(decoded& out) : out_(out) {}

  failure run(const token_list& tokens);

  /// A word that no rule covers and that must be reported by name; empty = none.
  [[nodiscard]] const std::string& unknown_zone() const noexcept {
    return unknown_zone_;
  }

  /// A word that stands for the current time.
  [[nodiscard]] const std::string& moving_word() const noexcept {
    return moving_word_;
  }

private:
  enum class expects : std::uint8_t { nothing, julian, time, other };
  enum class meridiem : std::uint8_t { none, am, pm };

  failure date_token(std::string_view text, unsigned& seen);
  failure time_token(std::string_view text, unsigned& seen);
  failure number_token(std::string_view text, unsigned& seen);
  failure labelled_number(std::string_view text, unsigned& seen);
  failure word_token(const token_list& tokens, std::size_t i, unsigned& seen);
  failure whole_date(std::string_view text, unsigned& seen);
  failure single_number(std::string_view text, bool text_month, unsigned fields, unsigned& seen);
  failure run_together(std::string_view text, unsigned fields, unsigned& seen);
  failure zone_token(std::string_view text, unsigned& seen);
  failure check();
  failure check_year();
  void set_julian(std::int64_t julian);

  decoded& out_;
  unsigned fields_ = 0;
  expects expects_ = expects::nothing;
  meridiem meridiem_ = meridiem::none;
  bool text_month_ = false;
  bool is_julian_ = false;
  bool two_digit_year_ = false;
  bool before_christ_ = false;
  std::string unknown_zone_;
  std::string moving_word_;
};

failure decoder::run(const token_list& tokens) {
  for (std::size_t i = 0; i < tokens.count; ++i) {
    const auto& item = tokens.items[i];
    unsigned seen = 0;
    auto problem = failure::none;
    switch (item.kind) {
    case token_kind::date:
      problem = date_token(item.text, seen);
      break;
    case token_kind::time:
      problem = time_token(item.text, seen);
      break;
    case token_kind::zone:
      problem = zone_token(item.text, seen);
      break;
    case token_kind::number:
      problem = number_token(item.text, seen);
      break;
    case token_kind::word:
    case token_kind::signed_word:
      problem = word_token(tokens, i, seen);
      break;
    }
    if (problem != failure::none)
      return problem;
    if ((seen & fields_) != 0)
      return failure::bad_format;
    fields_ |= seen;
  }
  return check();
}

void decoder::set_julian(std::int64_t julian) {
  const auto date = calendar::parts_of(julian - calendar::unix_epoch_julian);
  out_.year = date.year;
  out_.month = date.month;
  out_.day = date.day;
  is_julian_ = true;
}

failure decoder::zone_token(std::string_view text, unsigned& seen) {
  seen = mask::zone;
  out_.has_zone = true;
  return read_zone(text, out_.zone);
}

failure decoder::date_token(std::string_view text, unsigned& seen) {
  if (expects_ == expects::julian) {
    // A Julian day with a zone: `J2451187-08`.
    const auto julian = read_int(text);
    if (julian.overflow)
      return failure::field_overflow;
    set_julian(julian.value);
    expects_ = expects::nothing;
    unsigned zone_seen = 0;
    const auto rest = text.substr(julian.end);
    if (rest.empty() || (rest[0] != '+' && rest[0] != '-'))
      return failure::bad_format;
    seen = mask::date | mask::time | mask::zone;
    return zone_token(rest, zone_seen);
  }
  constexpr auto day_known = mask::month | mask::day;
  if (expects_ == expects::nothing && (fields_ & day_known) != day_known)
    return whole_date(text, seen);
  // The date is known: a time run together with a zone (`hhmmss-zz`), or a zone's name.
  if (!is_digit(text[0]) && expects_ == expects::nothing) {
    const auto zone = zone_of_name(text);
    if (!zone) {
      unknown_zone_ = text;
      return failure::bad_format;
    }
    out_.zone = *zone;
    out_.has_zone = true;
    seen = mask::zone;
    return failure::none;
  }
  if (expects_ != expects::nothing && expects_ != expects::time)
    return failure::bad_format;
  expects_ = expects::nothing;
  const auto dash = text.find('-');
  if ((fields_ & mask::time) != 0 || dash == std::string_view::npos)
    return failure::bad_format;
  unsigned zone_seen = 0;
  if (const auto problem = zone_token(text.substr(dash), zone_seen); problem != failure::none)
    return problem;
  const auto problem = run_together(text.substr(0, dash), fields_, seen);
  seen |= mask::zone;
  return problem;
}

failure decoder::whole_date(std::string_view text, unsigned& seen) {
  std::array<std::string_view, token_list::capacity> parts;
  std::size_t count = 0;
  std::size_t i = 0;
  while (i < text.size() && count < parts.size()) {
    while (i < text.size() && !is_digit(text[i]) && !is_letter(text[i]))
      ++i;
    if (i == text.size())
      return failure::bad_format;
    const auto start = i;
    if (is_digit(text[i]))
      while (i < text.size() && is_digit(text[i]))
        ++i;
    else
      while (i < text.size() && is_letter(text[i]))
        ++i;
    parts[count++] = text.substr(start, i - start);
    if (i < text.size())
      ++i;
  }
  auto fields = fields_;
  bool text_month = false;
  for (std::size_t k = 0; k < count; ++k) {
    if (!is_letter(parts[k][0]))
      continue;
    if (parts[k] == "at" || parts[k] == "on") {
      parts[k] = {};
      continue;
    }
    const auto month = month_of_name(parts[k]);
    if (month == 0 || (fields & mask::month) != 0)
      return failure::bad_format;
    out_.month = month;
    text_month = true;
    fields |= mask::month;
    seen |= mask::month;
    parts[k] = {};
  }
  for (std::size_t k = 0; k < count; ++k) {
    if (parts[k].empty())
      continue;
    unsigned part_seen = 0;
    const auto problem = single_number(parts[k], text_month, fields, part_seen);
    if (problem != failure::none)
      return problem;
    if ((fields & part_seen) != 0)
      return failure::bad_format;
    fields |= part_seen;
    seen |= part_seen;
  }
  return (fields & ~(mask::day_of_year | mask::zone)) == mask::date ? failure::none
                                                                    : failure::bad_format;
}

failure decoder::time_token(std::string_view text, unsigned& seen) {
  if (expects_ != expects::nothing && expects_ != expects::time)
    return failure::bad_format;
  expects_ = expects::nothing;
  seen = mask::time;
  clock_time clock;
  if (const auto problem = read_clock(text, INT32_MAX, clock); problem != failure::none)
    return problem;
  out_.hour = clock.hour;
  out_.minute = clock.minute;
  out_.second = clock.second;
  out_.micros = clock.micros;
  // 24:00:00 is the last moment of the day.
  const auto past_midnight =
      clock.hour == 24 && (clock.minute != 0 || clock.second != 0 || clock.micros != 0);
  return clock.hour > 24 || past_midnight ? failure::field_overflow : failure::none;
}

failure decoder::labelled_number(std::string_view text, unsigned& seen) {
  const auto label = expects_;
  expects_ = expects::nothing;
  const auto number = read_int(text);
  if (number.overflow)
    return failure::field_overflow;
  if (number.end < text.size() && text[number.end] != '.')
    return failure::bad_format;
  if (label == expects::julian) {
    seen = mask::date;
    set_julian(number.value);
    if (number.end == text.size())
      return failure::none;
    const auto fraction = read_fraction(text.substr(number.end));
    if (!fraction)
      return failure::bad_format;
    out_.micros = static_cast<std::int64_t>(*fraction * static_cast<double>(micros_per_day));
    seen |= mask::time;
    return failure::none;
  }
  if (label != expects::time)
    return failure::bad_format;
  const auto problem = run_together(text, fields_ | mask::date, seen);
  if (problem == failure::none && seen != mask::time)
    return failure::bad_format;
  return problem;
}

failure decoder::number_token(std::string_view text, unsigned& seen) {
  if (expects_ != expects::nothing)
    return labelled_number(text, seen);
  const auto point = text.find('.');
  const auto has_date = (fields_ & mask::date) != 0;
  if (point != std::string_view::npos && !has_date)
    return whole_date(text, seen);
  if (point != std::string_view::npos && point > 2)
    return run_together(text, fields_, seen);
  if (text.size() >= 6 && (!has_date || (fields_ & mask::time) == 0))
    return run_together(text, fields_, seen);
  return single_number(text, text_month_, fields_, seen);
}

failure decoder::single_number(std::string_view text, bool text_month, unsigned fields,
                               unsigned& seen) {
  const auto number = read_int(text);
  if (number.overflow)
    return failure::field_overflow;
  if (number.end == 0)
    return failure::bad_format;
  const auto rest = text.substr(number.end);
  if (!rest.empty()) {
    if (rest[0] != '.')
      return failure::bad_format;
    if (number.end > 2)
      return run_together(text, fields | mask::date, seen);
    const auto fraction = read_fraction(rest);
    if (!fraction)
      return failure::bad_format;
    out_.micros = std::llrint(*fraction * 1e6);
  }
  const auto value = number.value;
  const auto length = text.size();
  if (length == 3 && (fields & mask::date) == mask::year && value >= 1 && value <= 366) {
    out_.day_of_year = value;
    seen = mask::day_of_year | mask::month | mask::day;
    return failure::none;
  }
  switch (fields & mask::date) {
  case 0:
    seen = length >= 3 ? mask::year : mask::month;
    break;
  case mask::year:
  case mask::day:
    seen = mask::month;
    break;
  case mask::month:
    seen = text_month && length >= 3 ? mask::year : mask::day;
    break;
  case mask::year | mask::month:
    seen = mask::day;
    if (text_month && length >= 3 && two_digit_year_) {
      // What looked like a two-digit year before the month's name was the day.
      out_.day = out_.year;
      out_.year = value;
      two_digit_year_ = false;
      return failure::none;
    }
    break;
  case mask::month | mask::day:
    seen = mask::year;
    break;
  case mask::date:
    return run_together(text, fields, seen);
  default:
    return failure::bad_format;
  }
  if (seen == mask::year) {
    out_.year = value;
    two_digit_year_ = length <= 2;
  } else {
    (seen == mask::month ? out_.month : out_.day) = value;
  }
  return failure::none;
}

failure decoder::run_together(std::string_view text, unsigned fields, unsigned& seen) {
  const auto number_at = [&](std::size_t first, std::size_t count) {
    // Digits beyond what the calendar holds saturate; the range check refuses them later.
    const auto number = read_int(text.substr(first, count));
    return number.overflow ? std::int64_t{INT32_MAX} : number.value;
  };
  if (const auto point = text.find('.'); point != std::string_view::npos) {
    const auto tail = text.substr(point);
    double fraction = 0;
    if (tail.size() > 1)
      fraction = std::strtod(std::string(tail).c_str(), nullptr);
    out_.micros = std::llrint(fraction * 1e6);
    text = text.substr(0, point);
  } else if ((fields & mask::date) != mask::date && text.size() >= 6) {
    const auto year_digits = text.size() - 4;
    out_.year = number_at(0, year_digits);
    out_.month = number_at(year_digits, 2);
    out_.day = number_at(year_digits + 2, 2);
    if (year_digits == 2)
      two_digit_year_ = true;
    seen = mask::date;
    return failure::none;
  }
  if ((fields & mask::time) != 0 || (text.size() != 6 && text.size() != 4))
    return failure::bad_format;
  out_.hour = number_at(0, 2);
  out_.minute = number_at(2, 2);
  out_.second = text.size() == 6 ? number_at(4, 2) : 0;
  seen = mask::time;
  return failure::none;
}

failure decoder::word_token(const token_list& tokens, std::size_t i, unsigned& seen) {
  const auto& word = tokens.items[i].text;
  if (const auto zone = zone_of_name(word)) {
    out_.zone = *zone;
    out_.has_zone = true;
    seen = mask::zone;
    return failure::none;
  }
  if (word == "at" || word == "on")
    return failure::none;
  if (const auto month = month_of_name(word); month != 0) {
    seen = mask::month;
    // A number before the name was taken for the month; it was the day.
    if ((fields_ & mask::month) != 0 && !text_month_ && (fields_ & mask::day) == 0
        && out_.month >= 1 && out_.month <= 31) {
      out_.day = out_.month;
      seen = mask::day;
    }
    text_month_ = true;
    out_.month = month;
    return failure::none;
  }
  if (word == "epoch" || word == "infinity" || word == "-infinity") {
    // The rest of the text is read but does not count, as in PostgreSQL.
    seen = mask::reserved;
    out_.value = word == "epoch"      ? special::epoch
                 : word == "infinity" ? special::infinity
                                      : special::minus_infinity;
    return failure::none;
  }
  if (word == "now" || word == "today" || word == "tomorrow" || word == "yesterday") {
    moving_word_ = word;
    seen = mask::date | (word == "now" ? mask::time | mask::zone : 0);
    out_.year = out_.month = out_.day = 1;
    return failure::none;
  }
  if (word == "allballs") {
    seen = mask::time | mask::zone;
    out_.has_zone = true;
    return failure::none;
  }
  if (word == "am" || word == "pm") {
    meridiem_ = word == "am" ? meridiem::am : meridiem::pm;
    seen = mask::meridiem;
    return failure::none;
  }
  if (word == "ad" || word == "bc") {
    before_christ_ = word == "bc";
    seen = mask::era;
    return failure::none;
  }
  if (word == "j" || word == "jd" || word == "julian") {
    expects_ = expects::julian;
    return failure::none;
  }
  if (word == "t") {
    const auto followed = i + 1 < tokens.count
                          && (tokens.items[i + 1].kind == token_kind::number
                              || tokens.items[i + 1].kind == token_kind::time
                              || tokens.items[i + 1].kind == token_kind::date);
    if ((fields_ & mask::date) != mask::date || !followed)
      return failure::bad_format;
    expects_ = expects::time;
    return failure::none;
  }
  for (const auto* unit : {"d", "h", "m", "mm", "s", "y", "dow", "doy", "isodow", "isoyear"}) {
    if (word == unit) {
      expects_ = expects::other;
      return failure::none;
    }
  }
  if (is_date_word(word) && word != "dst") {
    seen = mask::weekday;
    return failure::none;
  }
  return failure::bad_format;
}

failure decoder::check_year() {
  if (is_julian_)
    return failure::none;
  if (before_christ_) {
    if (out_.year <= 0)
      return failure::field_overflow;
    out_.year = 1 - out_.year;
  } else if (two_digit_year_) {
    if (out_.year < 0)
      return failure::field_overflow;
    if (out_.year < 70)
      out_.year += 2000;
    else if (out_.year < 100)
      out_.year += 1900;
  } else if (out_.year <= 0) {
    return failure::field_overflow;
  }
  return failure::none;
}

failure decoder::check() {
  const auto moving = !moving_word_.empty();
  if ((fields_ & mask::year) != 0 && !moving)
    if (const auto problem = check_year(); problem != failure::none)
      return problem;
  if ((fields_ & mask::day_of_year) != 0) {
    const auto days = calendar::days_of(out_.year, 1, 1) + out_.day_of_year - 1;
    const auto date = calendar::parts_of(days);
    out_.year = date.year;
    out_.month = date.month;
    out_.day = date.day;
  }
  if ((fields_ & mask::month) != 0 && (out_.month < 1 || out_.month > 12))
    return failure::month_day_overflow;
  if ((fields_ & mask::day) != 0 && (out_.day < 1 || out_.day > 31))
    return failure::month_day_overflow;
  if ((fields_ & mask::date) == mask::date
      && out_.day > calendar::days_in_month(out_.year, static_cast<int>(out_.month)))
    return failure::field_overflow;
  if (out_.value != special::none)
    return failure::none;
  if (meridiem_ != meridiem::none && out_.hour > 12)
    return failure::field_overflow;
  if (meridiem_ == meridiem::am && out_.hour == 12)
    out_.hour = 0;
  else if (meridiem_ == meridiem::pm && out_.hour != 12)
    out_.hour += 12;
  return (fields_ & mask::date) == mask::date ? failure::none : failure::bad_format;
}

result<decoded> decode(std::string_view text, const char* type_name) {
  token_list tokens;
  decoded out;
  auto problem = tokenize(text, tokens);
  if (problem == failure::none) {
    decoder work(out);
    problem = work.run(tokens);
    if (problem == failure::none && !work.moving_word().empty())
      return make_error(ec::unsupported,
                        "special value \"" + work.moving_word() + "\" is not supported in type "
                            + type_name,
                        "it would change from run to run; write the time itself");
    if (!work.unknown_zone().empty())
      return make_error(ec::unsupported, "time zone \"" + work.unknown_zone() + "\" not recognized",
                        "ebb knows UTC and fixed offsets such as +02:00");
  }
  if (problem != failure::none)
    return describe(problem, text, type_name);
  return out;
}

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
