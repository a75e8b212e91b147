/// Lays out the digits of one number by a pattern, as to_char() does.
#pragma once

#include "actors/dataflow/functions/number_pattern.hpp"

namespace ebb::number_pattern {

/// A number ready to be laid out: digits with a point, without sign; or `#` where they do not fit.
struct digits {
  std::string text;
  int leading = 0; ///< places of the pattern before the first digit
  char sign = '+';
};

/// Digits of a decimal text (`-12.50`, `NaN`) for a layout: places are counted and overflow shown.
[[nodiscard]] digits fit(std::string_view decimal, const layout& shape);

/// Decimal text rounded half away from zero to `places` behind the point. Special values stay.
[[nodiscard]] std::string rounded(std::string_view decimal, int places);

/// Decimal text times 10^places.
[[nodiscard]] std::string shifted(std::string_view decimal, int places);

/// `1.50e+02` with `places` behind the point; a space stands for a plus sign in front.
[[nodiscard]] std::string scientific(std::string_view decimal, int places);
/// What stands for a number that has no scientific form: ` #.####`.
[[nodiscard]] std::string no_scientific(const layout& shape);

/// Roman numerals of 1 to 3999, else 15 `#`.
[[nodiscard]] std::string roman(std::int64_t value);

/// Appends the number to `out`. `shape` is the pattern's, maybe with fewer digits behind the point.
/// Error: an ordinal of what is no number.
[[nodiscard]] result<void> write(const std::vector<node>& nodes, const layout& shape,
                                 const digits& number, std::string& out);

} // namespace ebb::number_pattern
