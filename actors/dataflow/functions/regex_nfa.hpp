/// A small matcher for what RE2 does not know: edges of words beyond ASCII. Slower than RE2, in
/// time linear in the text. Leftmost, longest match; submatches in RE2's order.
#pragma once

#include "actors/dataflow/functions/regex_syntax.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace ebb {

/// Immutable once compiled; any thread may match with it.
class regex_nfa {
public:
  /// Fails with `unsupported` when the pattern is too large.
  [[nodiscard]] static result<regex_nfa> compile(const regex_tree& tree);

  /// Finds a match at or behind byte `start`; `groups[0]` is the whole match, others the groups
  /// (data() null = not set). Text before `start` counts for `^` and edges of words.
  [[nodiscard]] bool match(std::string_view text, std::size_t start,
                           std::span<std::string_view> groups) const;

private:
  enum class op : std::uint8_t { character, assertion, split, jump, save, accept };

  struct instruction {
    op code = op::accept;
    regex_kind assertion = regex_kind::empty;
    std::uint32_t first = 0;  ///< next instruction; of a split the preferred one
    std::uint32_t second = 0; ///< of a split: the other; of a save: the slot; else index of the set
  };

  class run;

  bool emit(const regex_node& x);
  std::uint32_t add(op code);

  std::vector<instruction> program_;
  std::vector<code_set> sets_;
  std::size_t slots_ = 2;
};

} // namespace ebb
