/// Patterns of to_char() and to_number() for numbers: `FM999,990.00`, `SG99`, `9.99EEEE`, `RN`.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::number_pattern {

enum class mark : std::uint8_t {
  text, ///< no mark: a character as it is
  comma,
  point,
  zero,
  nine,
  blank,
  group,         ///< G
  decimal,       ///< D
  exponent,      ///< EEEE
  fill,          ///< FM
  currency,      ///< L
  minus,         ///< MI
  plus,          ///< PL
  bracket,       ///< PR
  roman,         ///< RN
  lower_roman,   ///< rn
  sign,          ///< SG
  anchored_sign, ///< S
  ordinal,       ///< TH
  lower_ordinal, ///< th
  shift,         ///< V
  ignored,       ///< C, SP
};

struct node {
  mark what = mark::text;
  std::string text;
};

enum class anchor : std::uint8_t { none, before, behind };

/// What the marks together ask for.
struct layout {
  int before = 0;      ///< digits before the point
  int behind = 0;      ///< digits behind it
  int shifted = 0;     ///< digits behind V
  int zero_start = 0;  ///< position (from 1) of the first 0 before the point
  int zero_end = 0;    ///< position of the last 0
  int sign_before = 0; ///< digits before an anchored sign
  anchor sign = anchor::none;
  bool has_decimal = false;
  bool has_zero = false;
  bool has_blank = false;
  bool has_fill = false;
  bool has_anchored_sign = false;
  bool has_bracket = false;
  bool has_minus = false;
  bool has_plus = false;
  bool has_roman = false;
  bool has_shift = false;
  bool has_exponent = false;
};

struct pattern {
  std::vector<node> nodes;
  layout shape;
  bool is_empty = false;
};

/// Errors have PostgreSQL's texts: `cannot use "S" twice`.
[[nodiscard]] result<pattern> parse(std::string_view text);

} // namespace ebb::number_pattern
