/// Patterns of to_char(), to_timestamp() and to_date() for times: `YYYY-MM-DD "at" HH24:MI`.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::time_pattern {

enum class field : std::uint8_t {
  meridiem,
  meridiem_dots,
  era,
  era_dots,
  century,
  day_name,
  day_short,
  day_of_year,
  day,
  day_of_week,
  fraction, ///< FF1 … FF6
  fixed,    ///< FX
  hour24,
  hour12,
  iso_day_of_year,
  iso_day_of_week,
  iso_week,
  iso_year,
  julian,
  minute,
  month,
  month_name,
  month_short,
  millisecond,
  offset,
  quarter,
  roman_month,
  second,
  second_of_day,
  zone_hour,
  zone_minute,
  zone_name,
  microsecond,
  week,
  week_of_month,
  year_comma, ///< Y,YYY
  year,
};

enum class letters : std::uint8_t { upper, title, lower };

enum class convention : std::uint8_t { none, gregorian, iso_week };

/// One word of the pattern language.
struct keyword {
  const char* name;
  field what;
  letters letters_of = letters::upper;
  std::uint8_t digits = 0; ///< of years and fractions
  bool is_number = false;
  convention calendar = convention::none;
};

enum class node_kind : std::uint8_t { field, text, separator, space };

struct node {
  node_kind kind = node_kind::text;
  const keyword* key = nullptr; ///< of a field
  letters letters_of = letters::upper;
  bool fill = false;          ///< FM
  bool translated = false;    ///< TM
  bool ordinal = false;       ///< TH or th behind it
  bool lower_ordinal = false; ///< th
  std::string text;           ///< one character, of the other kinds

  /// As the pattern spells it, for messages.
  [[nodiscard]] std::string name() const;
};

[[nodiscard]] std::vector<node> parse(std::string_view pattern);

/// `st`, `nd`, `rd` or `th` for a number's digits.
[[nodiscard]] const char* ordinal_of(std::string_view digits);

inline constexpr const char* month_names[] = {"January",   "February", "March",    "April",
                                              "May",       "June",     "July",     "August",
                                              "September", "October",  "November", "December"};
inline constexpr const char* day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                            "Thursday", "Friday", "Saturday"};
/// From December down, as PostgreSQL searches them.
inline constexpr const char* roman_months[] = {"XII", "XI", "X",  "IX",  "VIII", "VII",
                                               "VI",  "V",  "IV", "III", "II",   "I"};

[[nodiscard]] constexpr bool is_separator(char c) noexcept {
  return c > ' ' && c < 0x7f && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z')
         && !(c >= '0' && c <= '9');
}

/// Bytes of the UTF-8 character that begins `text`.
[[nodiscard]] std::size_t character_size(std::string_view text) noexcept;

} // namespace ebb::time_pattern
