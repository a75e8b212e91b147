/// Shared parts of functions on regular expressions.
#pragma once

#include "actors/dataflow/functions/pattern_kernel.hpp"
#include "actors/dataflow/functions/regex.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace ebb {

/// Letters of a flags argument. Error: `invalid regular expression option: "z"`.
struct regex_flags {
  regex_options options;
  bool global = false;
};

[[nodiscard]] result<regex_flags> parse_regex_flags(std::string_view letters);

/// How a function uses its pattern. Arguments count from 0; -1 = has none.
struct regex_use {
  int pattern = 1;
  int flags = -1;
  int replacement = -1;   ///< groups are needed where it names one
  int subexpression = -1; ///< INTEGER; groups are needed unless it is 0
  bool ignore_case = false;
  bool groups = false; ///< groups are always needed
  bool takes_global = false;
  bool similar = false; ///< the pattern is of SIMILAR TO; `flags` is its escape
};

/// What a use prepares from constant arguments.
struct bound_regex : bound_call {
  std::shared_ptr<const regex> pattern;
  bool global = false;
};

[[nodiscard]] result<std::shared_ptr<const bound_call>>
bind_regex(const regex_use& use, const char* function, std::span<const expr_ptr> args);

/// The pattern of each row: the bound one, or compiled once for each distinct value.
class regex_source {
public:
  regex_source(const regex_use& use, const char* function, const call_context& context,
               std::span<const column> args)
      : use_(use), function_(function), args_(args),
        bound_(static_cast<const bound_regex*>(context.bound)) {}

  /// Pointer valid as long as this; errors carry the row.
  [[nodiscard]] result<const bound_regex*> at(std::uint32_t i);

private:
  const regex_use& use_;
  const char* function_;
  std::span<const column> args_;
  const bound_regex* bound_;
  std::unordered_map<std::string, bound_regex> seen_;
};

/// PostgreSQL's position arguments: byte of character `start` (from 1), or nothing behind the end.
[[nodiscard]] std::optional<std::size_t> byte_of_character(std::string_view text,
                                                           std::int32_t start) noexcept;

/// Where the search goes on behind a match: an empty one moves by a character.
[[nodiscard]] std::size_t behind_match(std::string_view text, std::string_view match,
                                       std::size_t end) noexcept;

/// The POSIX pattern of a SIMILAR TO pattern. Errors: `invalid escape string`, and `unsupported`
/// for the three-part form, which needs non-greedy matching.
[[nodiscard]] result<std::string> similar_to_posix(std::string_view pattern,
                                                   std::string_view escape);

/// A kernel and its bind hook from a constant `Use` and `Name`.
template <const regex_use& Use, const char* Name>
struct regex_function {
  static result<std::shared_ptr<const bound_call>> bind(std::span<const expr_ptr> args) {
    return bind_regex(Use, Name, args);
  }
};

} // namespace ebb
