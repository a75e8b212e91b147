/// A compiled regular expression with PostgreSQL's meaning, on RE2.
#pragma once

#include "actors/dataflow/functions/regex_linear.hpp"
#include "actors/dataflow/functions/regex_nfa.hpp"
#include "actors/dataflow/functions/regex_syntax.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace ebb {

/// Immutable; any thread may match with it. Time is linear in the text.
class regex {
public:
  /// With `needs_groups`, refuses patterns whose submatches could differ from PostgreSQL's.
  [[nodiscard]] static result<std::shared_ptr<const regex>>
  compile(std::string_view pattern, regex_options options, bool needs_groups);

  ~regex();

  /// Number of capturing groups.
  [[nodiscard]] int groups() const noexcept {
    return captures_;
  }

  /// Finds the leftmost, longest match at or behind byte `start`. `found[0]` is the match, the
  /// others the groups; data() is null for one that took no part. Text before `start` counts for
  /// `^` and edges of words.
  [[nodiscard]] bool match(std::string_view text, std::size_t start,
                           std::span<std::string_view> found) const;

private:
  regex();

  std::unique_ptr<re2::RE2> re2_;
  std::optional<regex_nfa> nfa_; ///< where RE2 does not do
  bool always_nfa_ = false;      ///< else only for text beyond ASCII
  std::optional<std::string> literal_;
  std::optional<regex_linear> linear_;
  int captures_ = 0;
  std::vector<int> group_of_; ///< group of the pattern for each of RE2's
};

} // namespace ebb
