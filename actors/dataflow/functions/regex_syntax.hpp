/// Regular expressions of PostgreSQL (its "advanced" flavour) as a tree.
#pragma once

#include "schemas/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ebb {

/// A set of characters as ascending, disjoint, non-adjacent ranges once `normalize` has run.
class code_set {
public:
  static constexpr char32_t last_code = 0x10ffff;

  [[nodiscard]] static code_set all();
  [[nodiscard]] static code_set words(); ///< letters, digits and `_`

  /// What lies beyond `last_code` is left out.
  void add(char32_t first, char32_t last) {
    if (first <= last_code)
      ranges_.emplace_back(first, last < last_code ? last : last_code);
  }

  void add(const code_set& other);
  void normalize();
  void complement(); ///< of a normalized set

  [[nodiscard]] bool contains(char32_t c) const noexcept;
  [[nodiscard]] bool intersects(const code_set& other) const noexcept;
  [[nodiscard]] bool subset_of(const code_set& other) const;

  [[nodiscard]] const std::vector<std::pair<char32_t, char32_t>>& ranges() const noexcept {
    return ranges_;
  }

private:
  std::vector<std::pair<char32_t, char32_t>> ranges_;
};

enum class regex_kind : std::uint8_t {
  empty,
  set, ///< one character of `set`
  text_start,
  text_end,
  line_start,
  line_end,
  word_start,  ///< \m
  word_end,    ///< \M
  word_edge,   ///< \y
  word_inside, ///< \Y
  concat,
  alternate,
  repeat, ///< children[0], min to max times
  group,  ///< children[0]; `capture` > 0 when it captures
};

inline constexpr int unbounded = -1;

/// A value type; copies are deep.
struct regex_node {
  regex_kind kind = regex_kind::empty;
  code_set set;
  int min = 0;
  int max = 0;
  int capture = 0;
  bool captures = false; ///< a capturing group lies here or below
  std::vector<regex_node> children;
};

struct regex_options {
  bool ignore_case = false;
  bool newline_stops = false;   ///< `.` and `[^…]` do not match a newline
  bool newline_anchors = false; ///< `^` and `$` match at lines
  bool expanded = false;        ///< white space and comments are ignored
  bool literal = false;         ///< the pattern is plain text

  bool operator==(const regex_options&) const = default;
};

struct regex_tree {
  regex_node root;
  int captures = 0;
};

/// Parses a pattern. Errors: PostgreSQL's `invalid regular expression: …`, and `unsupported` for
/// what has no linear-time meaning (non-greedy quantifiers, look-around, back references).
[[nodiscard]] result<regex_tree> parse_regex(std::string_view pattern, regex_options options);

/// What PostgreSQL's and RE2's ways to choose submatches agree on; see regex_shape.cpp.
[[nodiscard]] bool captures_agree(const regex_node& root);

/// The tree as a pattern of RE2 (Perl syntax, UTF-8, longest match).
struct regex_translation {
  std::string pattern;
  bool word_edges = false; ///< has `\b`, which RE2 knows for ASCII only
  bool exact = true;       ///< false: has a `\m` or `\M` that RE2 cannot express
  std::vector<int> groups; ///< number in the tree of each capturing group of the pattern
};

[[nodiscard]] regex_translation to_re2(const regex_node& root);

/// Characters an expression can start (end) with, and whether it can match nothing.
struct regex_edge {
  code_set set;
  bool nullable = false;
};

[[nodiscard]] regex_edge first_of(const regex_node& x);
[[nodiscard]] regex_edge last_of(const regex_node& x);

} // namespace ebb
