#include "actors/dataflow/functions/time_pattern.hpp"

#include "actors/dataflow/time_tokens.hpp"

#include <algorithm>

namespace ebb::time_pattern {

namespace {

using time_input::is_space;
using time_input::lower;

constexpr auto none = convention::none;
constexpr auto gregorian = convention::gregorian;
constexpr auto iso = convention::iso_week;
constexpr auto upper = letters::upper;
constexpr auto title = letters::title;

// Longer words come before their beginnings. Each but the title ones has a lower-case twin.
constexpr keyword keywords[] = {
    {"A.D.", field::era_dots},
    {"A.M.", field::meridiem_dots},
    {"AD", field::era},
    {"AM", field::meridiem},
    {"B.C.", field::era_dots},
    {"BC", field::era},
    {"CC", field::century, upper, 0, true, none},
    {"DAY", field::day_name},
    {"DDD", field::day_of_year, upper, 0, true, gregorian},
    {"DD", field::day, upper, 0, true, gregorian},
    {"DY", field::day_short},
    {"Day", field::day_name, title},
    {"Dy", field::day_short, title},
    {"D", field::day_of_week, upper, 0, true, gregorian},
    {"FF1", field::fraction, upper, 1, true, none},
    {"FF2", field::fraction, upper, 2, true, none},
    {"FF3", field::fraction, upper, 3, true, none},
    {"FF4", field::fraction, upper, 4, true, none},
    {"FF5", field::fraction, upper, 5, true, none},
    {"FF6", field::fraction, upper, 6, true, none},
    {"FX", field::fixed},
    {"HH24", field::hour24, upper, 0, true, none},
    {"HH12", field::hour12, upper, 0, true, none},
    {"HH", field::hour12, upper, 0, true, none},
    {"IDDD", field::iso_day_of_year, upper, 0, true, iso},
    {"ID", field::iso_day_of_week, upper, 0, true, iso},
    {"IW", field::iso_week, upper, 0, true, iso},
    {"IYYY", field::iso_year, upper, 4, true, iso},
    {"IYY", field::iso_year, upper, 3, true, iso},
    {"IY", field::iso_year, upper, 2, true, iso},
    {"I", field::iso_year, upper, 1, true, iso},
    {"J", field::julian, upper, 0, true, none},
    {"MI", field::minute, upper, 0, true, none},
    {"MM", field::month, upper, 0, true, gregorian},
    {"MONTH", field::month_name, upper, 0, false, gregorian},
    {"MON", field::month_short, upper, 0, false, gregorian},
    {"MS", field::millisecond, upper, 3, true, none},
    {"Month", field::month_name, title, 0, false, gregorian},
    {"Mon", field::month_short, title, 0, false, gregorian},
    {"OF", field::offset},
    {"P.M.", field::meridiem_dots},
    {"PM", field::meridiem},
    {"Q", field::quarter, upper, 0, true, none},
    {"RM", field::roman_month, upper, 0, false, gregorian},
    {"SSSSS", field::second_of_day, upper, 0, true, none},
    {"SSSS", field::second_of_day, upper, 0, true, none},
    {"SS", field::second, upper, 0, true, none},
    {"TZH", field::zone_hour},
    {"TZM", field::zone_minute, upper, 0, true, none},
    {"TZ", field::zone_name},
    {"US", field::microsecond, upper, 6, true, none},
    {"WW", field::week, upper, 0, true, gregorian},
    {"W", field::week_of_month, upper, 0, true, gregorian},
    {"Y,YYY", field::year_comma, upper, 4, true, gregorian},
    {"YYYY", field::year, upper, 4, true, gregorian},
    {"YYY", field::year, upper, 3, true, gregorian},
    {"YY", field::year, upper, 2, true, gregorian},
    {"Y", field::year, upper, 1, true, gregorian},
};

bool starts_with_lower(std::string_view text, std::string_view name) {
  return text.size() >= name.size()
         && std::equal(name.begin(), name.end(), text.begin(),
                       [](char a, char b) { return lower(a) == b; });
}

/// Takes the word from the front of `rest`, if it begins with one.
bool take_keyword(std::string_view& rest, node& out) {
  for (const auto& key : keywords) {
    const std::string_view name(key.name);
    if (rest.starts_with(name))
      out.letters_of = key.letters_of;
    else if (key.letters_of != title && starts_with_lower(rest, name))
      out.letters_of = letters::lower;
    else
      continue;
    out.kind = node_kind::field;
    out.key = &key;
    rest.remove_prefix(name.size());
    return true;
  }
  return false;
}

bool take_word(std::string_view& rest, std::string_view upper_case) {
  if (!rest.starts_with(upper_case) && !starts_with_lower(rest, upper_case))
    return false;
  rest.remove_prefix(upper_case.size());
  return true;
}

node text_node(std::string_view& rest) {
  node out;
  const auto size = character_size(rest);
  out.text = rest.substr(0, size);
  rest.remove_prefix(size);
  return out;
}

} // namespace

std::size_t character_size(std::string_view text) noexcept {
  std::size_t size = text.empty() ? 0 : 1;
  while (size < text.size() && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    ++size;
  return size;
}

std::string node::name() const {
  if (key == nullptr)
    return text;
  std::string out(key->name);
  if (letters_of == letters::lower)
    std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

std::vector<node> parse(std::string_view pattern) {
  std::vector<node> out;
  auto rest = pattern;
  while (!rest.empty()) {
    node item;
    if (take_word(rest, "FM"))
      item.fill = true;
    else if (take_word(rest, "TM"))
      item.translated = true;
    if (take_keyword(rest, item)) {
      item.lower_ordinal = rest.starts_with("th");
      item.ordinal = item.lower_ordinal || rest.starts_with("TH");
      if (item.ordinal)
        rest.remove_prefix(2);
      else if (rest.starts_with("SP") || rest.starts_with("sp"))
        rest.remove_prefix(2);
      out.push_back(std::move(item));
      continue;
    }
    if (rest.empty())
      break;
    if (rest[0] == '"') {
      rest.remove_prefix(1);
      while (!rest.empty() && rest[0] != '"') {
        if (rest[0] == '\\' && rest.size() > 1)
          rest.remove_prefix(1);
        out.push_back(text_node(rest));
      }
      if (!rest.empty())
        rest.remove_prefix(1);
      continue;
    }
    if (rest.starts_with("\\\""))
      rest.remove_prefix(1);
    const auto c = rest[0];
    auto other = text_node(rest);
    other.kind = is_separator(c) ? node_kind::separator
                 : is_space(c)   ? node_kind::space
                                 : node_kind::text;
    out.push_back(std::move(other));
  }
  return out;
}

const char* ordinal_of(std::string_view digits) {
  const auto is_teen = digits.size() > 1 && digits[digits.size() - 2] == '1';
  if (digits.empty() || is_teen)
    return "th";
  switch (digits.back()) {
  case '1':
    return "st";
  case '2':
    return "nd";
  case '3':
    return "rd";
  default:
    return "th";
  }
}

} // namespace ebb::time_pattern
