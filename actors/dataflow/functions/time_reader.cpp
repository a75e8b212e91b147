#include "actors/dataflow/functions/time_reader.hpp"

#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>
#include <limits>

namespace ebb::time_pattern {

namespace {

using time_input::is_digit;
using time_input::is_space;
using time_input::lower;

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
  pattern_reader(const std::vector<node>& nodes, std::string_view text, given_fields& out)
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
    rest_.remove_prefix(character_size(rest_));
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
      return choose(month_names, item, out_.month, 1);
    case field::month_short:
      return choose(month_shorts, item, out_.month, 1);
    case field::month:
      return number(i, length, out_.month);
    case field::day_name: {
      EBB_TRY(choose(day_names, item, out_.day_of_week, 0));
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
      EBB_ASSIGN(const auto index, word(roman_months, item));
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
  given_fields& out_;
  bool fixed_ = false;
  int extra_ = 0; ///< characters skipped beyond what the pattern has
};

} // namespace

result<given_fields> read_fields(const std::vector<node>& nodes, std::string_view text) {
  given_fields out;
  EBB_TRY(pattern_reader(nodes, text, out).run());
  return out;
}

} // namespace ebb::time_pattern
