// Input of intervals: PostgreSQL's forms, SQL's and ISO 8601's.

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/interval_sum.hpp"
#include "actors/dataflow/time_text.hpp"

#include <charconv>
#include <cmath>

namespace ebb::time_input {

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

namespace {

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
    problem = time_input::read_iso_interval(text, sum);
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
