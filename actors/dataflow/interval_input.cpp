// Input of intervals: PostgreSQL's forms, SQL's and ISO 8601's.

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/time_text.hpp"
#include "actors/dataflow/time_tokens.hpp"
#include "actors/dataflow/time_unit.hpp"

#include <charconv>
#include <cmath>

namespace ebb::time_input {

namespace {

/// Sums the parts of an interval; every method is false on overflow.
class interval_sum {
public:
  bool add_micros(std::int64_t value, double fraction, std::int64_t scale) {
    std::int64_t product = 0;
    return !__builtin_mul_overflow(value, scale, &product)
           && !__builtin_add_overflow(micros_, product, &micros_) && add_fraction(fraction, scale);
  }

  /// A time of day replaces what was summed so far, as in PostgreSQL.
  void set_micros(std::int64_t value) {
    micros_ = value;
  }

  bool add_days(std::int64_t value, std::int32_t scale) {
    std::int32_t product = 0;
    return fits(value) && !__builtin_mul_overflow(static_cast<std::int32_t>(value), scale, &product)
           && !__builtin_add_overflow(days_, product, &days_);
  }

  bool add_months(std::int64_t value) {
    return fits(value)
           && !__builtin_add_overflow(months_, static_cast<std::int32_t>(value), &months_);
  }

  bool add_years(std::int64_t value, std::int32_t scale) {
    std::int32_t product = 0;
    return fits(value) && !__builtin_mul_overflow(static_cast<std::int32_t>(value), scale, &product)
           && !__builtin_add_overflow(years_, product, &years_);
  }

  /// A fraction of `scale` microseconds.
  bool add_fraction(double fraction, std::int64_t scale) {
    if (fraction == 0)
      return true;
    fraction *= static_cast<double>(scale);
    const auto whole = static_cast<std::int64_t>(fraction);
    if (__builtin_add_overflow(micros_, whole, &micros_))
      return false;
    fraction -= static_cast<double>(whole);
    const std::int64_t round = fraction > 0.5 ? 1 : (fraction < -0.5 ? -1 : 0);
    return !__builtin_add_overflow(micros_, round, &micros_);
  }

  /// A fraction of `scale` days: whole days, and the rest as time.
  bool add_day_fraction(double fraction, std::int32_t scale) {
    if (fraction == 0)
      return true;
    fraction *= scale;
    const auto whole = static_cast<std::int32_t>(fraction);
    return !__builtin_add_overflow(days_, whole, &days_)
           && add_fraction(fraction - whole, micros_per_day);
  }

  /// A fraction of `scale` years, rounded to months.
  bool add_year_fraction(double fraction, std::int32_t scale) {
    const auto extra = static_cast<std::int32_t>(std::rint(fraction * scale * 12));
    return !__builtin_add_overflow(months_, extra, &months_);
  }

  bool negate() {
    return !__builtin_sub_overflow(std::int64_t{0}, micros_, &micros_)
           && !__builtin_sub_overflow(0, days_, &days_)
           && !__builtin_sub_overflow(0, months_, &months_)
           && !__builtin_sub_overflow(0, years_, &years_);
  }

  [[nodiscard]] std::optional<interval_value> total() const {
    const auto months = std::int64_t{years_} * 12 + months_;
    if (!fits(months))
      return std::nullopt;
    return interval_value{micros_, days_, static_cast<std::int32_t>(months)};
  }

private:
  static bool fits(std::int64_t value) {
    return value >= INT32_MIN && value <= INT32_MAX;
  }

  std::int64_t micros_ = 0;
  std::int32_t days_ = 0;
  std::int32_t months_ = 0;
  std::int32_t years_ = 0;
};

using unit = time_unit;

bool add_unit(interval_sum& sum, unit what, std::int64_t value, double fraction) {
  switch (what) {
  case unit::microsecond:
    return sum.add_micros(value, fraction, 1);
  case unit::millisecond:
    return sum.add_micros(value, fraction, 1'000);
  case unit::second:
    return sum.add_micros(value, fraction, micros_per_second);
  case unit::minute:
    return sum.add_micros(value, fraction, calendar::micros_per_minute);
  case unit::hour:
    return sum.add_micros(value, fraction, calendar::micros_per_hour);
  case unit::day:
    return sum.add_days(value, 1) && sum.add_fraction(fraction, micros_per_day);
  case unit::week:
    return sum.add_days(value, 7) && sum.add_day_fraction(fraction, 7);
  case unit::month:
    return sum.add_months(value) && sum.add_day_fraction(fraction, 30);
  case unit::year:
    return sum.add_years(value, 1) && sum.add_year_fraction(fraction, 1);
  case unit::decade:
    return sum.add_years(value, 10) && sum.add_year_fraction(fraction, 10);
  case unit::century:
    return sum.add_years(value, 100) && sum.add_year_fraction(fraction, 100);
  case unit::millennium:
    return sum.add_years(value, 1'000) && sum.add_year_fraction(fraction, 1'000);
  default:
    break;
  }
  return false;
}

/// Whether numbers of this unit make an interval; `quarter` and `timezone` are known, but do not.
constexpr bool is_length(unit x) noexcept {
  return x >= unit::microsecond && x <= unit::millennium && x != unit::quarter;
}

constexpr unsigned bit(unit x) noexcept {
  return 1U << static_cast<unsigned>(x);
}

constexpr unsigned all_seconds =
    bit(unit::second) | bit(unit::millisecond) | bit(unit::microsecond);
constexpr unsigned clock_fields = bit(unit::hour) | bit(unit::minute) | all_seconds;

/// Reads the words from right to left, so that a unit is known before its number.
class interval_decoder {
public:
  explicit interval_decoder(interval_sum& sum) : sum_(sum) {}

  failure run(const token_list& tokens) {
    bool ago = false;
    for (auto i = tokens.count; i-- > 0;) {
      const auto& item = tokens.items[i];
      unsigned seen = 0;
      if (item.kind == token_kind::word || item.kind == token_kind::signed_word) {
        const auto what = unit_of_name(item.text);
        if (what == unit::none)
          return failure::bad_format;
        ago = ago || what == unit::ago;
        unit_ = what;
        continue;
      }
      const auto problem = item.kind == token_kind::time   ? clock(item.text, false, seen)
                           : item.kind == token_kind::zone ? signed_value(item.text, seen)
                                                           : number(item.text, seen);
      if (problem != failure::none)
        return problem;
      if ((seen & fields_) != 0)
        return failure::bad_format;
      fields_ |= seen;
    }
    if (fields_ == 0)
      return failure::bad_format;
    return ago && !sum_.negate() ? failure::field_overflow : failure::none;
  }

private:
  failure clock(std::string_view text, bool negative, unsigned& seen) {
    clock_time value;
    if (const auto problem = read_clock(text, INT64_MAX, value); problem != failure::none)
      return problem;
    std::int64_t total = 0;
    if (__builtin_mul_overflow(value.hour, calendar::micros_per_hour, &total)
        || __builtin_add_overflow(total,
                                  value.minute * calendar::micros_per_minute
                                      + value.second * micros_per_second + value.micros,
                                  &total))
      return failure::field_overflow;
    seen = clock_fields;
    unit_ = unit::day;
    sum_.set_micros(negative ? -total : total);
    return failure::none;
  }

  failure signed_value(std::string_view text, unsigned& seen) {
    if (text.find(':', 1) != std::string_view::npos
        && clock(text.substr(1), text[0] == '-', seen) == failure::none)
      return failure::none;
    return number(text, seen);
  }

  failure number(std::string_view text, unsigned& seen) {
    if (unit_ == unit::none)
      unit_ = unit::second;
    const auto whole = read_int(text, INT64_MAX);
    if (whole.overflow)
      return failure::field_overflow;
    auto value = whole.value;
    double fraction = 0;
    const auto negative = text[0] == '-';
    const auto rest = text.substr(whole.end);
    if (!rest.empty() && rest[0] == '-') {
      // SQL's years-months.
      const auto months = read_int(rest.substr(1));
      if (months.overflow || months.value < 0 || months.value >= 12)
        return failure::field_overflow;
      if (1 + months.end != rest.size())
        return failure::bad_format;
      if (__builtin_mul_overflow(value, std::int64_t{12}, &value)
          || __builtin_add_overflow(value, negative ? -months.value : months.value, &value))
        return failure::field_overflow;
      unit_ = unit::month;
    } else if (!rest.empty() && rest[0] == '.') {
      const auto read = read_fraction(rest);
      if (!read)
        return failure::bad_format;
      fraction = negative ? -*read : *read;
    } else if (!rest.empty()) {
      return failure::bad_format;
    }
    if (!is_length(unit_))
      return failure::bad_format;
    if (!add_unit(sum_, unit_, value, fraction))
      return failure::field_overflow;
    seen = unit_ == unit::second && fraction != 0 ? all_seconds : bit(unit_);
    if (unit_ == unit::hour)
      unit_ = unit::day;
    return failure::none;
  }

  interval_sum& sum_;
  unit unit_ = unit::none;
  unsigned fields_ = 0;
};

/// ISO 8601: `P1Y2M3DT4H5M6S`, `P00010203T040506`, `P0001-02-03T04:05:06`.
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

} // namespace ebb::time_input

namespace ebb {

result<interval_value> parse_interval(std::string_view text) {
  using time_input::failure;
  time_input::token_list tokens;
  time_input::interval_sum sum;
  auto problem = time_input::tokenize(text, tokens);
  if (problem == failure::none)
    problem = time_input::interval_decoder(sum).run(tokens);
  if (problem == failure::bad_format) {
    sum = {};
    problem = time_input::iso_decoder(text, sum).run();
  }
  if (problem == failure::field_overflow)
    problem = failure::interval_overflow;
  if (problem != failure::none)
    return time_input::describe(problem, text, "interval");
  const auto total = sum.total();
  if (!total)
    return make_error(ec::evaluation, "interval out of range");
  return *total;
}

} // namespace ebb
