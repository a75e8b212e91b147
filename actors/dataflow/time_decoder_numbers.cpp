// Numbers in dates and times: which field they are depends on what came before.

#include "actors/dataflow/time_decoder.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

namespace ebb::time_input {

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

} // namespace ebb::time_input
