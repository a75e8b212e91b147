/// Scalar functions: operators, functions and casts of SQL as vectorised kernels, and their
/// catalog.
#pragma once

#include "actors/dataflow/expr.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebb {

/// What a function prepares once from its constant arguments (a compiled pattern, say). Immutable;
/// shared between threads.
struct bound_call {
  virtual ~bound_call() = default;
};

/// What a kernel sees besides its arguments.
struct call_context {
  const sql_type& type;    ///< of the result, with modifiers
  std::uint32_t rows;      ///< of the result; every argument has as many (or is constant)
  const bound_call* bound; ///< from the bind hook; may be null
  /// Strict functions: rows where no argument is NULL; null = all rows. The kernel must not fail
  /// for a row whose bit is clear, and need not compute it.
  const std::uint8_t* valid;
};

/// Computes a column of `context.rows` rows, or a `constant` one when every argument is. On failure
/// `error::row` is the index of the offending row.
/// For strict functions the caller ANDs the arguments' validity into the result.
using kernel = result<column> (*)(const call_context& context, std::span<const column> args);

/// How a call may be written and chosen; PostgreSQL's `castcontext` for casts.
enum class cast_context : std::uint8_t { none, implicit, assignment, explicit_only };

/// One overload. Plain data with static lifetime (the catalog owns it); never changed.
struct scalar_function {
  std::string name;             ///< lower case: `lower`, `+`, `~~` (LIKE), `cast`
  std::vector<sql_type> params; ///< kinds only; the last one repeats when `variadic`
  sql_type returns;             ///< kind only; modifiers come from `result_type` or the binder
  kernel run = nullptr;
  bool variadic = false;
  bool strict = true;                     ///< NULL when any argument is NULL
  bool may_fail = false;                  ///< can raise an error for some values
  cast_context cast = cast_context::none; ///< for `cast`: params[0] → result
  /// Makes `call_context::bound`; null = nothing to prepare. Errors refuse the query.
  result<std::shared_ptr<const bound_call>> (*bind)(std::span<const expr_ptr> args) = nullptr;
};

/// All overloads by name. Built once in `builtin_functions()`; then read by any thread.
class function_catalog {
public:
  void add(scalar_function function);

  /// Overloads of a name, in order of registration; empty when there is none.
  [[nodiscard]] std::span<const std::unique_ptr<scalar_function>>
  overloads(std::string_view name) const;

  /// The overload with exactly these parameter kinds (after repeating a variadic one), or null.
  [[nodiscard]] const scalar_function* find(std::string_view name,
                                            std::span<const sql_type> params) const;

  /// The cast from one kind to another (for arrays: element kinds), or null.
  [[nodiscard]] const scalar_function* find_cast(const sql_type& from, const sql_type& to) const;

  /// Every name, sorted: for the reference and for nearest-name hints.
  [[nodiscard]] std::vector<std::string> names() const;

private:
  std::unordered_map<std::string, std::vector<std::unique_ptr<scalar_function>>> by_name_;
};

/// The catalog of everything ebb has. Built on first use, thread-safe.
[[nodiscard]] const function_catalog& builtin_functions();

// Each is in the file of its name under functions/ and adds its overloads.
void register_arithmetic(function_catalog& catalog); ///< + - * / % and unary -, on numbers
void register_comparison(function_catalog& catalog); ///< = <> < <= > >=, distinct from, greatest, …
void register_math(function_catalog& catalog);       ///< abs round floor power sqrt …
void register_number_casts(function_catalog& catalog); ///< among numbers and boolean
void register_text(function_catalog& catalog);         ///< lower length substring || lpad md5 …
void register_pattern(function_catalog& catalog);      ///< LIKE, ~, regexp_*
void register_text_casts(function_catalog& catalog);   ///< text ⇄ everything
void register_time(function_catalog& catalog);         ///< extract date_trunc to_char, + - of times
void register_time_casts(
    function_catalog& catalog);                 ///< among date, timestamp, timestamptz, interval
void register_array(function_catalog& catalog); ///< subscripts, array_length, cardinality, …

} // namespace ebb
