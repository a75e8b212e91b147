// to_timestamp() and to_date(): reading times by a pattern.

#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/functions/time_pattern.hpp"
#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>
#include <array>
#include <limits>

namespace ebb::time_kernel {

namespace {

using time_input::is_digit;
using time_input::is_space;
using time_input::lower;
using time_pattern::convention;
using time_pattern::field;
using time_pattern::is_separator;
using time_pattern::node;
using time_pattern::node_kind;

struct bound_nodes final : bound_call {
  std::vector<node> nodes;
};

/// Fields as the text gives them; 0 = not given.
struct fields {
  int hour = 0;
  int minute = 0;
  int second = 0;
  int second_of_day = 0;
  int millisecond = 0;
  int microsecond = 0;
  int day_of_week = 0; ///< Sunday = 1
  int day = 0;
  int day_of_year = 0;
  int month = 0;
  int year = 0;
  int before_christ = 0;
  int afternoon = 0;
  int week = 0;
  int week_of_month = 0;
  int century = 0;
  int julian = 0;
  int year_digits = 0;
  int zone_sign = 0;
  int zone_hour = 0;
  int zone_minute = 0;
  int precision = 0; ///< digits of FF1 … FF6
  bool clock12 = false;
  convention calendar = convention::none;
};

constexpr std::string_view month_shorts[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                             "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view day_shorts[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::string_view meridiems[] = {"am", "pm"};
constexpr std::string_view meridiems_dots[] = {"a.m.", "p.m."};
constexpr std::string_view eras[] = {"ad", "bc"};
constexpr std::string_view eras_dots[] = {"a.d.", "b.c."};

error bad(std::string message, std::string hint = {}) {
  return make_error(ec::evaluation, std::move(message), std::move(hint));
}

/// Short years are near 2020.
int complete_year(int year) noexcept {
  if (year < 70)
    return year + 2000;
  if (year < 100)
    return year + 1900;
  if (year < 520)
    return year + 2000;
  return year < 1000 ? year + 1000 : year;
}

/// Without a character that is cut off at the end.
std::string_view whole_characters(std::string_view text) noexcept {
  auto start = text.size();
  while (start > 0 && (static_cast<unsigned char>(text[start - 1]) & 0xC0U) == 0x80U)
    --start;
  if (start == 0)
    return text;
  const auto first = static_cast<unsigned char>(text[start - 1]);
  const std::size_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
  return text.size() - (start - 1) < wanted ? text.substr(0, start - 1) : text;
}

/// Reads one text by the nodes of a pattern.
class pattern_reader {
public:
  pattern_reader(const std::vector<node>& nodes, std::string_view text, fields& out)
      : nodes_(nodes), rest_(text), text_(text), out_(out) {}

  result<void> run() {
    for (std::size_t i = 0; i < nodes_.size() && !rest_.empty(); ++i) {
      const auto& item = nodes_[i];
      const auto is_field = item.kind == node_kind::field;
      if (!fixed_ && (!is_field || item.key->what != field::fixed) && (is_field || i == 0))
        skip_spaces();
      if (!is_field) {
        skip_character(item);
        continue;
      }
      EBB_TRY(set_calendar(item.key->calendar));
      EBB_TRY(read_field(i));
      if (!fixed_) {
        extra_ = 0;
        skip_spaces();
      }
    }
    return {};
  }

private:
  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_[0])) {
      rest_.remove_prefix(1);
      ++extra_;
    }
  }

  void skip_one() {
    rest_.remove_prefix(time_pattern::character_size(rest_));
  }

  void skip_character(const node& item) {
    if (fixed_) {
      skip_one();
    } else if (item.kind == node_kind::text) {
      // What was skipped beyond the pattern may already have been this character.
      if (extra_ > 0)
        --extra_;
      else
        skip_one();
    } else {
      --extra_;
      if (is_space(rest_[0]) || is_separator(rest_[0])) {
        rest_.remove_prefix(1);
        ++extra_;
      }
    }
  }

  result<void> set_calendar(convention calendar) {
    if (calendar == convention::none)
      return {};
    if (out_.calendar == convention::none)
      out_.calendar = calendar;
    else if (out_.calendar != calendar)
      return bad("invalid combination of date conventions",
                 "do not mix Gregorian and ISO week date conventions in a formatting template");
    return {};
  }

  result<void> set(int& target, int value, const node& item) {
    if (target != 0 && target != value)
      return bad("conflicting values for \"" + item.name() + "\" field in formatting string",
                 "this value contradicts a previous setting for the same field type");
    target = value;
    return {};
  }

  /// Whether what follows node i cannot be a digit, so that its number ends by itself.
  [[nodiscard]] bool ends_by_itself(std::size_t i) const {
    if (nodes_[i].ordinal || i + 1 == nodes_.size())
      return true;
    const auto& next = nodes_[i + 1];
    if (next.kind == node_kind::field)
      return !next.key->is_number;
    return !(next.text.size() == 1 && is_digit(next.text[0]));
  }

  /// A number of `length` characters, or as many as there are; returns how many it took.
  result<std::size_t> read_number(std::size_t i, std::size_t length, int* target) {
    const auto& item = nodes_[i];
    const auto start = rest_;
    while (!rest_.empty() && is_space(rest_[0]))
      rest_.remove_prefix(1);
    const auto piece = whole_characters(rest_.substr(0, length));
    auto number = time_input::read_int(rest_, std::numeric_limits<std::int32_t>::max());
    if (item.fill || ends_by_itself(i)) {
      if (number.end == 0)
        rest_ = start;
    } else {
      if (rest_.size() < length)
        return bad("source string too short for \"" + item.name() + "\" formatting field",
                   "if your source string is not fixed-width, try using the \"FM\" modifier");
      auto skip = std::size_t{0};
      while (skip < piece.size() && is_space(piece[skip]))
        ++skip;
      number = time_input::read_int(piece.substr(skip), std::numeric_limits<std::int32_t>::max());
      if (number.end > 0 && number.end + skip < length)
        return bad("invalid value \"" + std::string(piece) + "\" for \"" + item.name() + '"',
                   "if your source string is not fixed-width, try using the \"FM\" modifier");
    }
    rest_.remove_prefix(number.end);
    if (rest_.size() == start.size())
      return bad("invalid value \"" + std::string(piece) + "\" for \"" + item.name() + '"',
                 "value must be an integer");
    if (number.overflow)
      return bad("value for \"" + item.name() + "\" in source string is out of range",
                 "value must be in the range -2147483648 to 2147483647");
    if (target != nullptr)
      EBB_TRY(set(*target, static_cast<int>(number.value), item));
    return start.size() - rest_.size();
  }

  result<void> number(std::size_t i, std::size_t length, int& target) {
    EBB_TRY(read_number(i, length, &target));
    skip_ordinal(nodes_[i]);
    return {};
  }

  void skip_ordinal(const node& item) {
    if (!item.ordinal)
      return;
    skip_one();
    skip_one();
  }

  [[nodiscard]] bool begins_with(std::string_view lower_case) const {
    return rest_.size() >= lower_case.size()
           && std::equal(lower_case.begin(), lower_case.end(), rest_.begin(),
                         [](char a, char b) { return a == lower(b); });
  }

  /// Index of the word that the rest begins with.
  template <class Words>
  result<int> word(const Words& words, const node& item) {
    int index = 0;
    for (const auto& candidate : words) {
      std::string name(candidate);
      std::transform(name.begin(), name.end(), name.begin(), lower);
      if (begins_with(name)) {
        rest_.remove_prefix(name.size());
        return index;
      }
      ++index;
    }
    auto shown = rest_;
    // The word ends at any white space.
    shown = shown.substr(0, shown.find_first_of(" \t\n\v\f\r"));
    return bad("invalid value \"" + std::string(shown) + "\" for \"" + item.name() + '"',
               "the given value did not match any of the allowed values for this field");
  }

  template <class Words>
  result<void> choose(const Words& words, const node& item, int& target, int add) {
    EBB_ASSIGN(const auto index, word(words, item));
    return set(target, index + add, item);
  }

  /// Digits behind the point: `25` is 0.25.
  result<void> fraction(std::size_t i, std::size_t digits, std::size_t full, int& target) {
    EBB_ASSIGN(const auto used, read_number(i, digits, &target));
    for (auto k = used; k < full; ++k)
      target *= 10;
    skip_ordinal(nodes_[i]);
    return {};
  }

  result<void> year(std::size_t i) {
    const auto& item = nodes_[i];
    const std::size_t digits = item.key->digits;
    EBB_ASSIGN(const auto used, read_number(i, digits, &out_.year));
    if (digits < 4 && used < 4)
      out_.year = complete_year(out_.year);
    out_.year_digits = static_cast<int>(digits);
    skip_ordinal(item);
    return {};
  }

  result<void> year_with_comma(const node& item) {
    const auto thousands = time_input::read_int(rest_);
    auto tail = rest_.substr(thousands.end);
    const auto has_comma = thousands.end > 0 && !tail.empty() && tail[0] == ',';
    if (has_comma)
      tail.remove_prefix(1);
    const auto ones =
        has_comma ? time_input::read_int(tail.substr(0, 3)) : time_input::leading_int{};
    if (ones.end == 0)
      return bad("invalid input string for \"Y,YYY\"");
    const auto value = thousands.value * 1'000 + ones.value;
    if (thousands.overflow || value > INT32_MAX || value < INT32_MIN)
      return bad("value for \"Y,YYY\" in source string is out of range");
    EBB_TRY(set(out_.year, static_cast<int>(value), item));
    out_.year_digits = 4;
    rest_ = tail.substr(ones.end);
    skip_ordinal(item);
    return {};
  }

  result<void> zone_hour(std::size_t i) {
    if (rest_[0] == '+' || rest_[0] == '-' || rest_[0] == ' ') {
      out_.zone_sign = rest_[0] == '-' ? -1 : 1;
      rest_.remove_prefix(1);
    } else {
      // The minus may have been taken for a separator.
      const auto at = text_.size() - rest_.size();
      out_.zone_sign = extra_ > 0 && at > 0 && text_[at - 1] == '-' ? -1 : 1;
    }
    EBB_TRY(read_number(i, 2, &out_.zone_hour));
    return {};
  }

  result<void> read_field(std::size_t i) {
    const auto& item = nodes_[i];
    const auto length = std::string_view(item.key->name).size();
    switch (item.key->what) {
    case field::fixed:
      fixed_ = true;
      return {};
    case field::meridiem:
      out_.clock12 = true;
      return choose(meridiems, item, out_.afternoon, 0);
    case field::meridiem_dots:
      out_.clock12 = true;
      return choose(meridiems_dots, item, out_.afternoon, 0);
    case field::era:
      return choose(eras, item, out_.before_christ, 0);
    case field::era_dots:
      return choose(eras_dots, item, out_.before_christ, 0);
    case field::hour12:
      out_.clock12 = true;
      return number(i, 2, out_.hour);
    case field::hour24:
      return number(i, 2, out_.hour);
    case field::minute:
      return number(i, length, out_.minute);
    case field::second:
      return number(i, length, out_.second);
    case field::millisecond:
      return fraction(i, 3, 3, out_.millisecond);
    case field::fraction:
      out_.precision = item.key->digits;
      [[fallthrough]];
    case field::microsecond:
      return fraction(i, item.key->digits, 6, out_.microsecond);
    case field::second_of_day:
      return number(i, length, out_.second_of_day);
    case field::zone_name:
    case field::offset:
      return bad("formatting field \"" + item.name() + "\" is only supported in to_char");
    case field::zone_hour:
      return zone_hour(i);
    case field::zone_minute:
      if (out_.zone_sign == 0)
        out_.zone_sign = 1;
      EBB_TRY(read_number(i, 2, &out_.zone_minute));
      return {};
    case field::month_name:
      return choose(time_pattern::month_names, item, out_.month, 1);
    case field::month_short:
      return choose(month_shorts, item, out_.month, 1);
    case field::month:
      return number(i, length, out_.month);
    case field::day_name: {
      EBB_TRY(choose(time_pattern::day_names, item, out_.day_of_week, 0));
      ++out_.day_of_week;
      return {};
    }
    case field::day_short: {
      EBB_TRY(choose(day_shorts, item, out_.day_of_week, 0));
      ++out_.day_of_week;
      return {};
    }
    case field::day_of_year:
      return number(i, length, out_.day_of_year);
    case field::iso_day_of_year:
      return number(i, 3, out_.day_of_year);
    case field::day:
      return number(i, length, out_.day);
    case field::day_of_week:
      return number(i, length, out_.day_of_week);
    case field::iso_day_of_week: {
      EBB_TRY(read_number(i, 1, &out_.day_of_week));
      if (++out_.day_of_week > 7)
        out_.day_of_week = 1;
      skip_ordinal(item);
      return {};
    }
    case field::week:
    case field::iso_week:
      return number(i, length, out_.week);
    case field::quarter: {
      // Read and forgotten: a quarter does not say which of its days is meant.
      EBB_TRY(read_number(i, 1, nullptr));
      skip_ordinal(item);
      return {};
    }
    case field::century:
      return number(i, length, out_.century);
    case field::year_comma:
      return year_with_comma(item);
    case field::year:
    case field::iso_year:
      return year(i);
    case field::roman_month: {
      EBB_ASSIGN(const auto index, word(time_pattern::roman_months, item));
      return set(out_.month, 12 - index, item);
    }
    case field::week_of_month:
      return number(i, length, out_.week_of_month);
    case field::julian:
      return number(i, length, out_.julian);
    }
    return {};
  }

  const std::vector<node>& nodes_;
  std::string_view rest_;
  std::string_view text_;
  fields& out_;
  bool fixed_ = false;
  int extra_ = 0; ///< characters skipped beyond what the pattern has
};

struct moment {
  std::int64_t year = 0;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t seconds = 0; ///< of the day, in UTC
  std::int64_t micros = 0;
  int precision = 0; ///< digits to round to; 0 = all
};

error out_of_range(std::string_view text) {
  return time_input::describe(time_input::failure::field_overflow, text, "timestamp");
}

void set_days(moment& out, std::int64_t days) {
  const auto date = calendar::parts_of(days);
  out.year = date.year;
  out.month = date.month;
  out.day = date.day;
}

bool set_year(const fields& in, moment& out) {
  const std::int64_t century = in.before_christ != 0 ? -in.century : in.century;
  if (in.year != 0 && in.century != 0 && in.year_digits <= 2) {
    const auto within = in.year % 100;
    if (within == 0)
      out.year = century * 100 + (century >= 0 ? 0 : 1);
    else
      out.year = century >= 0 ? within + (century - 1) * 100 : (century + 1) * 100 - within + 1;
    return true;
  }
  if (in.year != 0) {
    out.year = in.before_christ != 0 ? -std::int64_t{in.year} : in.year;
    if (out.year < 0)
      ++out.year;
    return true;
  }
  if (in.century != 0)
    out.year = century >= 0 ? (century - 1) * 100 + 1 : century * 100 + 1;
  return in.century != 0;
}

result<void> set_date(fields in, std::string_view text, moment& out) {
  auto checked = set_year(in, out);
  const auto is_iso = in.calendar == convention::iso_week;
  if (in.julian != 0) {
    set_days(out, in.julian - calendar::unix_epoch_julian);
    checked = true;
  }
  if (in.week != 0 && is_iso) {
    auto days = calendar::iso_year_start(out.year) + (std::int64_t{in.week} - 1) * 7;
    if (in.day_of_week != 0)
      days += in.day_of_week > 1 ? in.day_of_week - 2 : 6;
    set_days(out, days);
    checked = true;
  } else if (in.week != 0) {
    if (__builtin_mul_overflow(in.week - 1, 7, &in.day_of_year)
        || __builtin_add_overflow(in.day_of_year, 1, &in.day_of_year))
      return out_of_range(text);
  }
  if (in.week_of_month != 0
      && (__builtin_mul_overflow(in.week_of_month - 1, 7, &in.day)
          || __builtin_add_overflow(in.day, 1, &in.day)))
    return out_of_range(text);
  if (in.day != 0)
    out.day = in.day;
  if (in.month != 0)
    out.month = in.month;
  checked = checked || in.day != 0 || in.month != 0;
  if (in.day_of_year != 0 && (out.month <= 1 || out.day <= 1)) {
    if (out.year == 0 && in.before_christ == 0)
      return bad("cannot calculate day of year without year information");
    checked = true;
    if (is_iso) {
      set_days(out, calendar::iso_year_start(out.year) + in.day_of_year - 1);
    } else {
      int month = 1;
      int before = 0;
      while (month < 12 && in.day_of_year > before + calendar::days_in_month(out.year, month))
        before += calendar::days_in_month(out.year, month++);
      if (out.month <= 1)
        out.month = month;
      if (out.day <= 1)
        out.day = in.day_of_year - before;
    }
  }
  if (checked
      && (out.month < 1 || out.month > 12 || out.day < 1
          || out.day > calendar::days_in_month(out.year, static_cast<int>(out.month))))
    return out_of_range(text);
  return {};
}

result<void> set_time(const fields& in, std::string_view text, moment& out) {
  std::int64_t hour = in.second_of_day / 3600;
  std::int64_t minute = in.second_of_day % 3600 / 60;
  std::int64_t second = in.second_of_day % 60;
  if (in.second != 0)
    second = in.second;
  if (in.minute != 0)
    minute = in.minute;
  if (in.hour != 0)
    hour = in.hour;
  if (in.clock12) {
    if (hour < 1 || hour > 12)
      return bad("hour \"" + std::to_string(hour) + "\" is invalid for the 12-hour clock",
                 "use the 24-hour clock, or give an hour between 1 and 12");
    if (in.afternoon != 0 && hour < 12)
      hour += 12;
    else if (in.afternoon == 0 && hour == 12)
      hour = 0;
  }
  out.micros = std::int64_t{in.millisecond} * 1'000 + in.microsecond;
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59
      || out.micros < 0 || out.micros >= micros_per_second)
    return out_of_range(text);
  out.seconds = hour * 3600 + minute * 60 + second;
  if (in.zone_sign != 0) {
    if (in.zone_hour < 0 || in.zone_hour > 15 || in.zone_minute < 0 || in.zone_minute > 59)
      return time_input::describe(time_input::failure::zone_overflow, text, "timestamp");
    out.seconds -= in.zone_sign * (in.zone_hour * 3600 + in.zone_minute * 60);
  }
  return {};
}

result<moment> read_moment(const std::vector<node>& nodes, std::string_view text) {
  fields given;
  EBB_TRY(pattern_reader(nodes, text, given).run());
  moment out;
  out.precision = given.precision;
  // PostgreSQL reports a bad hour of the 12-hour clock first, other ranges after the date's.
  fields clock = given;
  if (given.clock12)
    EBB_TRY(set_time(clock, text, out));
  EBB_TRY(set_date(given, text, out));
  EBB_TRY(set_time(clock, text, out));
  return out;
}

result<std::shared_ptr<const bound_call>> bind_nodes(std::span<const expr_ptr> args) {
  const auto& pattern = *args[1];
  if (pattern.kind != expr_kind::literal || pattern.value.is_null(0))
    return std::shared_ptr<const bound_call>();
  auto out = std::make_shared<bound_nodes>();
  out->nodes = time_pattern::parse(pattern.value.text_of(0));
  return std::shared_ptr<const bound_call>(std::move(out));
}

template <class To, class Convert>
result<column> read_column(const call_context& context, std::span<const column> args,
                           Convert convert) {
  const texts x(args[0]);
  const texts pattern(args[1]);
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<To>();
  std::vector<node> own;
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (skipped(context, i))
      continue;
    if (context.bound == nullptr)
      own = time_pattern::parse(pattern[i]);
    const auto& nodes =
        context.bound != nullptr ? static_cast<const bound_nodes*>(context.bound)->nodes : own;
    auto read = read_moment(nodes, x[i]);
    if (read && convert(*read, to[i]))
      continue;
    auto problem = read ? make_error(
                       ec::evaluation,
                       std::string(std::is_same_v<To, micros> ? "timestamp out of range"
                                                              : "date out of range: \"")
                           + (std::is_same_v<To, micros> ? std::string() : std::string(x[i]) + '"'))
                        : std::move(read).error();
    problem.row = i;
    return problem;
  }
  return out;
}

std::int64_t days_of(const moment& x) noexcept {
  return calendar::days_of(x.year, static_cast<int>(x.month), static_cast<int>(x.day));
}

/// Rounded to `digits` of a second, halves away from 2000, where PostgreSQL begins to count.
micros rounded(micros t, int digits) noexcept {
  constexpr micros y2000 = 946'684'800 * micros_per_second;
  constexpr micros units[] = {1, 100'000, 10'000, 1'000, 100, 10, 1};
  const auto unit = units[digits];
  const auto since = t - y2000;
  const auto magnitude = ((since < 0 ? -since : since) + unit / 2) / unit * unit;
  return y2000 + (since < 0 ? -magnitude : magnitude);
}

result<column> to_timestamp(const call_context& context, std::span<const column> args) {
  return read_column<micros>(context, args, [](const moment& x, micros& out) {
    const auto total = (int128{days_of(x)} * 86'400 + x.seconds) * micros_per_second + x.micros;
    if (total < calendar::min_timestamp || total > calendar::max_timestamp)
      return false;
    out = x.precision == 0 ? static_cast<micros>(total)
                           : rounded(static_cast<micros>(total), x.precision);
    return true;
  });
}

result<column> to_date(const call_context& context, std::span<const column> args) {
  return read_column<std::int32_t>(context, args, [](const moment& x, std::int32_t& out) {
    const auto days = days_of(x);
    if (days < calendar::min_date || days >= calendar::end_date)
      return false;
    out = static_cast<std::int32_t>(days);
    return true;
  });
}

} // namespace

void register_time_parse(function_catalog& catalog) {
  using enum type_kind;
  add(catalog, {"to_timestamp", {text, text}, timestamptz, to_timestamp, true, bind_nodes});
  add(catalog, {"to_date", {text, text}, date, to_date, true, bind_nodes});
}

} // namespace ebb::time_kernel
