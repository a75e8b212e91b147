/// Choice of an overload by PostgreSQL's rules: exact match, then the candidates that implicit
/// casts reach, narrowed by exact matches, preferred types and the categories of unknown literals.
#pragma once

#include "actors/plan/sql/coerce.hpp"

#include <span>
#include <vector>

namespace ebb::sql {

enum class overload_outcome : std::uint8_t { found, none, ambiguous };

struct overload_choice {
  overload_outcome outcome = overload_outcome::none;
  std::size_t index = 0; ///< of the chosen candidate
};

/// One candidate: its parameter types, one an argument (variadic ones repeated). `unknown` stands
/// for any type, an array of unknown for any array.
using signature = std::vector<sql_type>;

/// `is_operator`: a binary operator with one unknown side first tries the other side's type.
[[nodiscard]] overload_choice choose_overload(std::span<const signature> candidates,
                                              std::span<const sql_type> args, bool is_operator);

/// `params` for `count` arguments; empty optional when the function does not take so many.
[[nodiscard]] std::optional<signature> expand(std::span<const sql_type> params, bool variadic,
                                              std::size_t count);

/// `foo(integer, text)`.
[[nodiscard]] std::string call_text(std::string_view name, std::span<const sql_type> args);

} // namespace ebb::sql
