/// Bound expressions: typed trees over the columns of one batch, made by the planner.
///
/// Every implicit cast of SQL is an explicit `call` here, so evaluation never guesses. Expressions
/// are immutable and shared between subtasks and threads.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ebb {

struct scalar_function;
struct bound_call;
struct expr;
using expr_ptr = std::shared_ptr<const expr>;

enum class expr_kind : std::uint8_t {
  column,   ///< input column `index`
  literal,  ///< `value`, a constant column
  call,     ///< `function(args…)`: operators, functions and casts
  and_,     ///< three-valued; a later operand is evaluated only where no earlier one is false
  or_,      ///< three-valued; a later operand is evaluated only where no earlier one is true
  not_,     ///< three-valued
  case_,    ///< args: condition, result, …, [else]; each evaluated only where it is reached
  coalesce, ///< each arg evaluated only where all earlier ones are NULL
  is_null,  ///< of any type; never NULL
  is_not_null,
};

/// One node. Plain data; see `make_*` below for builders that check types.
struct expr {
  expr_kind kind = expr_kind::literal;
  sql_type type;
  std::uint32_t index = 0;                   ///< column
  column value;                              ///< literal: 1 stored value, constant
  const scalar_function* function = nullptr; ///< call
  std::shared_ptr<const bound_call> bound;   ///< call: what the function prepared from constants
  std::vector<expr_ptr> args;
  bool may_fail = false; ///< evaluation can raise an error for some row (this node or below)
  std::string text;      ///< as written, for messages: `price * 2`; may be empty
};

[[nodiscard]] expr_ptr make_column_ref(std::uint32_t index, sql_type type, std::string text = {});
[[nodiscard]] expr_ptr make_literal(column value, std::string text = {});
[[nodiscard]] expr_ptr make_null_literal(sql_type type);
[[nodiscard]] expr_ptr make_bool_literal(bool value);
/// Runs the function's bind hook (pattern compilation and the like). The arguments already have the
/// parameter types; `type` is the result type with its modifiers.
[[nodiscard]] result<expr_ptr> make_call(const scalar_function& function, sql_type type,
                                         std::vector<expr_ptr> args, std::string text = {});
/// and_, or_, not_, case_, coalesce, is_null, is_not_null.
[[nodiscard]] expr_ptr make_logic(expr_kind kind, sql_type type, std::vector<expr_ptr> args,
                                  std::string text = {});

/// Which rows of a batch to look at: `rows[0..count)`, ascending; null = rows 0..count.
struct selection {
  const std::uint32_t* rows = nullptr;
  std::uint32_t count = 0;

  [[nodiscard]] static selection all(const batch& input) noexcept {
    return {nullptr, input.rows};
  }

  [[nodiscard]] std::uint32_t row(std::uint32_t i) const noexcept {
    return rows == nullptr ? i : rows[i];
  }
};

/// Value of `x` for the selected rows: a column of `picked.count` rows, maybe `constant`. On
/// failure `error::row` is the row of `input`.
[[nodiscard]] result<column> evaluate(const expr& x, const batch& input, selection picked);

/// Rows of `picked` for which the BOOLEAN expression is true, ascending, written to `out` (room for
/// picked.count); returns how many.
[[nodiscard]] result<std::uint32_t> filter_rows(const expr& predicate, const batch& input,
                                                selection picked, std::uint32_t* out);

/// Replaces calls on constants by literals, and drops what constants make unreachable: arguments of
/// a strict call with a NULL, operands of a decided AND or OR, arms of CASE. A call that fails is
/// left as it is: it fails when a row reaches it.
[[nodiscard]] expr_ptr fold_constants(const expr_ptr& x);

/// Adds every column index that `x` reads to `out` (unsorted, with repeats).
void collect_columns(const expr& x, std::vector<std::uint32_t>& out);

/// The same expression with column index i replaced by `mapping[i]`.
[[nodiscard]] expr_ptr remap_columns(const expr_ptr& x, const std::vector<std::uint32_t>& mapping);

/// Column references replaced by expressions: index i becomes `replacements[i]`.
[[nodiscard]] expr_ptr substitute(const expr_ptr& x, const std::vector<expr_ptr>& replacements);

/// Same tree, same functions, same literals.
[[nodiscard]] bool same_expr(const expr& a, const expr& b);

} // namespace ebb
