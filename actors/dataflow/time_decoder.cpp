// Dates and times of a text, token by token.

#include "actors/dataflow/time_decoder.hpp"

#include "actors/dataflow/calendar.hpp"

namespace ebb::time_input {

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

} // namespace ebb::time_input
