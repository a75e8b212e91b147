#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace ebb::time_input {

namespace {

constexpr bool is_alnum(char c) noexcept {
  return is_digit(c) || is_letter(c);
}

constexpr bool is_punctuation(char c) noexcept {
  return c > ' ' && c < 0x7f && !is_alnum(c);
}

/// Walks over the text and fills one token at a time.
class scanner {
public:
  scanner(std::string_view text, token_list& out) : text_(text), out_(out) {}

  failure run() {
    while (at_ < text_.size()) {
      const auto c = text_[at_];
      if (is_space(c)) {
        ++at_;
        continue;
      }
      if (out_.count == token_list::capacity)
        return failure::bad_format;
      current_ = &out_.items[out_.count];
      current_->text.clear();
      if (is_digit(c)) {
        scan_number();
      } else if (c == '.') {
        take();
        take_while(is_digit);
        current_->kind = token_kind::number;
      } else if (is_letter(c)) {
        scan_word();
      } else if (c == '+' || c == '-') {
        if (!scan_signed())
          return failure::bad_format;
      } else if (is_punctuation(c)) {
        ++at_; // other punctuation separates, like a space
        continue;
      } else {
        return failure::bad_format;
      }
      ++out_.count;
    }
    return failure::none;
  }

private:
  [[nodiscard]] char peek() const {
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  void take() {
    current_->text += lower(text_[at_++]);
  }

  template <class Predicate>
  void take_while(Predicate accept) {
    while (at_ < text_.size() && accept(text_[at_]))
      take();
  }

  void scan_number() {
    take_while(is_digit);
    const auto delimiter = peek();
    if (delimiter == ':') {
      current_->kind = token_kind::time;
      take_while([](char c) { return is_digit(c) || c == ':' || c == '.'; });
      return;
    }
    if (delimiter != '-' && delimiter != '/' && delimiter != '.') {
      current_->kind = token_kind::number;
      return;
    }
    take();
    if (!is_digit(peek())) {
      current_->kind = token_kind::date;
      take_while([=](char c) { return is_alnum(c) || c == delimiter; });
      return;
    }
    current_->kind = delimiter == '.' ? token_kind::number : token_kind::date;
    take_while(is_digit);
    if (peek() == delimiter) {
      current_->kind = token_kind::date;
      take_while([=](char c) { return is_digit(c) || c == delimiter; });
    }
  }

  void scan_word() {
    current_->kind = token_kind::word;
    take_while(is_letter);
    const auto next = peek();
    const auto is_date = next == '-' || next == '/' || next == '.'
                         || ((next == '+' || is_digit(next)) && !is_date_word(current_->text));
    if (!is_date)
      return;
    current_->kind = token_kind::date;
    take_while([](char c) {
      return is_alnum(c) || c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':';
    });
  }

  bool scan_signed() {
    take();
    while (is_space(peek()))
      ++at_;
    if (is_digit(peek())) {
      current_->kind = token_kind::zone;
      take_while([](char c) { return is_digit(c) || c == ':' || c == '.' || c == '-'; });
      return true;
    }
    if (!is_letter(peek()))
      return false;
    current_->kind = token_kind::signed_word;
    take_while(is_letter);
    return true;
  }

  std::string_view text_;
  token_list& out_;
  std::size_t at_ = 0;
  token* current_ = nullptr;
};

struct named_zone {
  std::string_view name;
  std::int32_t seconds;
};

constexpr std::int32_t hours(int n) noexcept {
  return n * 3600;
}

// PostgreSQL's default abbreviations that mean one fixed offset, the common ones; and the names of
// zones that are UTC.
constexpr named_zone zones[] = {
    {"acdt", hours(10) + 1800},
    {"acst", hours(9) + 1800},
    {"aedt", hours(11)},
    {"aest", hours(10)},
    {"akdt", hours(-8)},
    {"akst", hours(-9)},
    {"awst", hours(8)},
    {"bst", hours(1)},
    {"cdt", hours(-5)},
    {"cest", hours(2)},
    {"cet", hours(1)},
    {"cst", hours(-6)},
    {"edt", hours(-4)},
    {"eest", hours(3)},
    {"eet", hours(2)},
    {"est", hours(-5)},
    {"etc/gmt", 0},
    {"etc/uct", 0},
    {"etc/universal", 0},
    {"etc/utc", 0},
    {"etc/zulu", 0},
    {"gmt", 0},
    {"greenwich", 0},
    {"hst", hours(-10)},
    {"ist", hours(2)},
    {"jst", hours(9)},
    {"kst", hours(9)},
    {"mdt", hours(-6)},
    {"mest", hours(2)},
    {"met", hours(1)},
    {"mst", hours(-7)},
    {"nzdt", hours(13)},
    {"nzst", hours(12)},
    {"pdt", hours(-7)},
    {"pst", hours(-8)},
    {"sast", hours(2)},
    {"uct", 0},
    {"universal", 0},
    {"ut", 0},
    {"utc", 0},
    {"wet", 0},
    {"wetdst", hours(1)},
    {"z", 0},
    {"zulu", 0},
};

} // namespace

failure tokenize(std::string_view text, token_list& out) {
  return scanner(text, out).run();
}

error describe(failure why, std::string_view text, const char* type_name) {
  const auto quoted = ": \"" + std::string(text) + '"';
  switch (why) {
  case failure::month_day_overflow:
    return make_error(ec::evaluation, "date/time field value out of range" + quoted,
                      "write dates as YYYY-MM-DD");
  case failure::field_overflow:
    return make_error(ec::evaluation, "date/time field value out of range" + quoted);
  case failure::interval_overflow:
    return make_error(ec::evaluation, "interval field value out of range" + quoted);
  case failure::zone_overflow:
    return make_error(ec::evaluation, "time zone displacement out of range" + quoted);
  case failure::none:
  case failure::bad_format:
    break;
  }
  return make_error(ec::evaluation,
                    std::string("invalid input syntax for type ") + type_name + quoted);
}

int month_of_name(std::string_view word) {
  constexpr std::string_view names[] = {"january",   "february", "march",    "april",
                                        "may",       "june",     "july",     "august",
                                        "september", "october",  "november", "december"};
  for (int i = 0; i < 12; ++i)
    if (word == names[i] || word == names[i].substr(0, 3))
      return i + 1;
  return word == "sept" ? 9 : 0;
}

bool is_date_word(std::string_view word) {
  constexpr std::string_view words[] = {
      "ad",      "allballs", "am",        "at",       "bc",       "d",        "dow",    "doy",
      "dst",     "epoch",    "fri",       "friday",   "h",        "infinity", "isodow", "isoyear",
      "j",       "jd",       "julian",    "m",        "mm",       "mon",      "monday", "now",
      "on",      "pm",       "s",         "sat",      "saturday", "sun",      "sunday", "t",
      "thu",     "thur",     "thurs",     "thursday", "today",    "tomorrow", "tue",    "tues",
      "tuesday", "wed",      "wednesday", "weds",     "y",        "yesterday"};
  return month_of_name(word) != 0
         || std::find(std::begin(words), std::end(words), word) != std::end(words);
}

leading_int read_int(std::string_view text, std::int64_t limit) {
  std::size_t i = 0;
  bool negative = false;
  if (i < text.size() && (text[i] == '+' || text[i] == '-'))
    negative = text[i++] == '-';
  leading_int out;
  const auto start = i;
  // Counted below zero, where there is one value more.
  std::int64_t value = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    const std::int64_t digit = text[i] - '0';
    if (value < (INT64_MIN + digit) / 10)
      out.overflow = true;
    else
      value = value * 10 - digit;
  }
  if (i == start)
    return out;
  out.end = i;
  if (negative ? value < -limit - 1 : value < -limit)
    out.overflow = true;
  if (!out.overflow)
    out.value = negative ? value : -value;
  return out;
}

std::optional<double> read_fraction(std::string_view text) {
  if (text.size() <= 1)
    return 0.0;
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

failure read_clock(std::string_view text, std::int64_t hour_limit, clock_time& out) {
  const auto hour = read_int(text, hour_limit);
  if (hour.overflow)
    return failure::field_overflow;
  text.remove_prefix(hour.end);
  if (text.empty() || text[0] != ':')
    return failure::bad_format;
  text.remove_prefix(1);
  const auto minute = read_int(text);
  if (minute.overflow)
    return failure::field_overflow;
  text.remove_prefix(minute.end);
  out.hour = hour.value;
  std::int64_t minutes = minute.value;
  std::int64_t seconds = 0;
  std::optional<double> fraction = 0.0;
  if (!text.empty() && text[0] == '.') {
    // Two parts and a fraction are minutes and seconds.
    fraction = read_fraction(text);
    if (out.hour > INT32_MAX || out.hour < INT32_MIN)
      return failure::field_overflow;
    seconds = minutes;
    minutes = out.hour;
    out.hour = 0;
  } else if (!text.empty() && text[0] == ':') {
    text.remove_prefix(1);
    const auto second = read_int(text);
    if (second.overflow)
      return failure::field_overflow;
    seconds = second.value;
    text.remove_prefix(second.end);
    if (!text.empty() && text[0] == '.')
      fraction = read_fraction(text);
    else if (!text.empty())
      return failure::bad_format;
  } else if (!text.empty()) {
    return failure::bad_format;
  }
  if (!fraction)
    return failure::bad_format;
  out.micros = static_cast<std::int32_t>(std::rint(*fraction * 1e6));
  if (out.hour < 0 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 60)
    return failure::field_overflow;
  out.minute = static_cast<int>(minutes);
  out.second = static_cast<int>(seconds);
  return failure::none;
}

std::optional<std::int32_t> zone_of_name(std::string_view lower_case_name) {
  const auto* found = std::find_if(std::begin(zones), std::end(zones),
                                   [&](const auto& z) { return z.name == lower_case_name; });
  if (found == std::end(zones))
    return std::nullopt;
  return found->seconds;
}

failure read_zone(std::string_view text, std::int32_t& out) {
  const auto negative = text[0] == '-';
  const auto size = text.size();
  text.remove_prefix(1);
  constexpr auto next_part = [](std::string_view& rest, std::int64_t& value) {
    const auto part = read_int(rest);
    value = part.value;
    rest.remove_prefix(part.end);
    return !part.overflow;
  };
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  if (!next_part(text, hour))
    return failure::zone_overflow;
  if (text.empty() && size > 3) {
    minute = hour % 100;
    hour /= 100;
  }
  for (auto* part : {&minute, &second}) {
    if (text.empty() || text[0] != ':')
      break;
    text.remove_prefix(1);
    if (!next_part(text, *part))
      return failure::zone_overflow;
  }
  if (hour < 0 || hour > 15 || minute < 0 || minute > 59 || second < 0 || second > 59)
    return failure::zone_overflow;
  out = static_cast<std::int32_t>((hour * 60 + minute) * 60 + second);
  if (negative)
    out = -out;
  return text.empty() ? failure::none : failure::bad_format;
}

} // namespace ebb::time_input
