/// Words and numbers of date, time and interval text: the cut that both parsers share.
#pragma once

#include "schemas/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ebb::time_input {

/// What a piece of the text looks like. The decoder decides what it means.
enum class token_kind : std::uint8_t {
  number,
  date, ///< with `-`, `/` or `.` inside
  time, ///< with `:` inside
  zone, ///< a sign and digits
  word, ///< letters, lower case
  signed_word,
};

struct token {
  token_kind kind = token_kind::word;
  std::string text;
};

/// Pieces of one text; more than 25 are refused, as PostgreSQL does.
struct token_list {
  static constexpr std::size_t capacity = 25;
  std::array<token, capacity> items;
  std::size_t count = 0;
};

/// How decoding failed; `describe` gives PostgreSQL's text.
enum class failure : std::uint8_t {
  none,
  bad_format,
  field_overflow,
  month_day_overflow,
  interval_overflow,
  zone_overflow,
};

/// Error of `failure` for `text` read as `type_name`.
[[nodiscard]] error describe(failure why, std::string_view text, const char* type_name);

[[nodiscard]] failure tokenize(std::string_view text, token_list& out);

/// Month of a name or its abbreviation (lower case), 0 = none.
[[nodiscard]] int month_of_name(std::string_view word);
/// Whether the word is one that dates know (`t`, `bc`, `monday` …), so that digits may follow it.
[[nodiscard]] bool is_date_word(std::string_view word);

/// A leading integer as C's strtol reads it: the value, and where it ends.
struct leading_int {
  std::int64_t value = 0;
  std::size_t end = 0; ///< 0 = no digits
  bool overflow = false;
};

/// Overflow is judged against `limit` (INT32_MAX or INT64_MAX).
[[nodiscard]] leading_int read_int(std::string_view text, std::int64_t limit = INT32_MAX);

/// A fraction `.25` up to the end of the text as a double; nothing when junk follows.
[[nodiscard]] std::optional<double> read_fraction(std::string_view text);

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
  return c >= '0' && c <= '9';
}

[[nodiscard]] constexpr bool is_letter(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

[[nodiscard]] constexpr bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

[[nodiscard]] constexpr char lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// `hour:minute[:second[.fraction]]`; the hour is not limited here.
struct clock_time {
  std::int64_t hour = 0;
  int minute = 0;
  int second = 0;
  std::int32_t micros = 0;
};

[[nodiscard]] failure read_clock(std::string_view text, std::int64_t hour_limit, clock_time& out);

/// Seconds east of UTC of an abbreviation (`utc`, `est`, `cest`) or of a zone that is UTC by name.
[[nodiscard]] std::optional<std::int32_t> zone_of_name(std::string_view lower_case_name);

/// Seconds east of UTC of `+02`, `-08:00`, `+0530`, `+05:30:15`.
[[nodiscard]] failure read_zone(std::string_view text, std::int32_t& out);

} // namespace ebb::time_input
