#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/interval_sum.hpp"

#include <charconv>

namespace ebb::time_input {

namespace {

using unit = time_unit;

class iso_decoder {
public:
  iso_decoder(std::string_view text, interval_sum& sum) : text_(text), sum_(sum) {}

  failure run() {
    if (text_.size() < 2 || text_[0] != 'P')
      return failure::bad_format;
    at_ = 1;
    bool date_part = true;
    bool has_field = false;
    while (at_ < text_.size()) {
      if (peek() == 'T') {
        date_part = false;
        has_field = false;
        ++at_;
        continue;
      }
      if (const auto problem = number(); problem != failure::none)
        return problem;
      const auto designator = peek();
      if (at_ < text_.size())
        ++at_;
      const auto what = unit_for(designator, date_part);
      if (what != unit::none) {
        if (!add_unit(sum_, what, value_, fraction_))
          return failure::field_overflow;
        has_field = true;
        continue;
      }
      if (!date_part)
        return alternative_time(designator, has_field);
      const auto problem = alternative_date(designator, has_field);
      if (problem != failure::none || at_ >= text_.size())
        return problem;
      date_part = false;
      has_field = false;
    }
    return failure::none;
  }

private:
  [[nodiscard]] char peek() const {
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  static unit unit_for(char designator, bool date_part) {
    switch (designator) {
    case 'Y':
      return date_part ? unit::year : unit::none;
    case 'M':
      return date_part ? unit::month : unit::minute;
    case 'W':
      return date_part ? unit::week : unit::none;
    case 'D':
      return date_part ? unit::day : unit::none;
    case 'H':
      return date_part ? unit::none : unit::hour;
    case 'S':
      return date_part ? unit::none : unit::second;
    default:
      return unit::none;
    }
  }

  failure number() {
    const auto rest = text_.substr(at_);
    if (rest.empty() || (!is_digit(rest[0]) && rest[0] != '-' && rest[0] != '.'))
      return failure::bad_format;
    double value = 0;
    const auto* end = rest.data() + rest.size();
    const auto [stop, problem] = std::from_chars(rest.data(), end, value);
    if (problem == std::errc::result_out_of_range)
      return failure::field_overflow;
    if (problem != std::errc{} || std::isnan(value))
      return failure::bad_format;
    if (value < -1e15 || value > 1e15)
      return failure::field_overflow;
    const auto digits = rest.substr(rest[0] == '-' ? 1 : 0);
    width_ = 0;
    while (width_ < digits.size() && is_digit(digits[width_]))
      ++width_;
    at_ += static_cast<std::size_t>(stop - rest.data());
    value_ = static_cast<std::int64_t>(value);
    fraction_ = value - static_cast<double>(value_);
    return failure::none;
  }

  /// After a date's first number without a designator. At the end of the text, or behind the `T`.
  failure alternative_date(char designator, bool has_field) {
    if (designator != '\0' && designator != 'T' && designator != '-')
      return failure::bad_format;
    if (designator != '-' && width_ == 8 && !has_field) {
      const auto fits = sum_.add_years(value_ / 10'000, 1) && sum_.add_months(value_ / 100 % 100)
                        && sum_.add_days(value_ % 100, 1)
                        && sum_.add_fraction(fraction_, micros_per_day);
      return fits ? failure::none : failure::field_overflow;
    }
    if (has_field)
      return failure::bad_format;
    if (!add_unit(sum_, unit::year, value_, fraction_))
      return failure::field_overflow;
    if (designator != '-')
      return failure::none;
    for (const auto what : {unit::month, unit::day}) {
      if (const auto problem = number(); problem != failure::none)
        return problem;
      if (!add_unit(sum_, what, value_, fraction_))
        return failure::field_overflow;
      const auto next = peek();
      if (at_ >= text_.size())
        return failure::none;
      ++at_;
      if (next == 'T')
        return failure::none;
      if (next != '-' || what == unit::day)
        return failure::bad_format;
    }
    return failure::none;
  }

  failure alternative_time(char designator, bool has_field) {
    if ((designator != '\0' && designator != ':') || has_field)
      return failure::bad_format;
    if (designator == '\0' && width_ == 6) {
      const auto fits = sum_.add_micros(value_ / 10'000, 0, calendar::micros_per_hour)
                        && sum_.add_micros(value_ / 100 % 100, 0, calendar::micros_per_minute)
                        && sum_.add_micros(value_ % 100, 0, micros_per_second)
                        && sum_.add_fraction(fraction_, 1);
      return fits ? failure::none : failure::field_overflow;
    }
    if (!add_unit(sum_, unit::hour, value_, fraction_))
      return failure::field_overflow;
    if (designator == '\0')
      return failure::none;
    for (const auto what : {unit::minute, unit::second}) {
      if (const auto problem = number(); problem != failure::none)
        return problem;
      if (!add_unit(sum_, what, value_, fraction_))
        return failure::field_overflow;
      if (at_ >= text_.size())
        return failure::none;
      if (peek() != ':' || what == unit::second)
        return failure::bad_format;
      ++at_;
    }
    return failure::none;
  }

  std::string_view text_;
  interval_sum& sum_;
  std::size_t at_ = 0;
  std::int64_t value_ = 0;
  double fraction_ = 0;
  std::size_t width_ = 0;
};

} // namespace

failure read_iso_interval(std::string_view text, interval_sum& sum) {
  return iso_decoder(text, sum).run();
}

} // namespace ebb::time_input
