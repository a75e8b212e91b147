/// Parts of regular expressions that stand for one character: escapes, classes, brackets.
#pragma once

#include "actors/dataflow/functions/regex_syntax.hpp"

#include <optional>
#include <string_view>

namespace ebb {

/// Adds a character; where case is ignored, its lower and upper case instead.
void add_character(code_set& set, char32_t c, bool ignore_case);

/// The set of `\d \D \s \S \w \W` by its letter.
[[nodiscard]] std::optional<code_set> class_escape(char32_t letter);

/// Reads an escape for one character, `at` being behind the backslash.
[[nodiscard]] result<char32_t> read_character_escape(std::u32string_view text, std::size_t& at);

/// Reads the inside of brackets up to and with the `]`; `at` is behind `[` or `[^`.
[[nodiscard]] result<code_set> read_bracket_set(std::u32string_view text, std::size_t& at,
                                                bool ignore_case);

} // namespace ebb
