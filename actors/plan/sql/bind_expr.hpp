/// Names, operators and functions of SQL expressions resolved to typed trees.
#pragma once

#include "actors/dataflow/operator_spec.hpp"
#include "actors/plan/sql/coerce.hpp"
#include "actors/plan/sql/scope.hpp"
#include "actors/plan/sql/type_name.hpp"

#include <unordered_map>

namespace ebb::sql {

/// Bound expressions refer to aggregates and to functions OVER a window by column indexes from
/// here on, until the planner knows the columns that hold their results.
inline constexpr std::uint32_t aggregate_base = 1U << 30;
inline constexpr std::uint32_t over_base = 1U << 31;
/// `proctime()` outside a window function.
inline constexpr std::uint32_t proctime_index = aggregate_base - 1;
/// `now()` in WHERE.
inline constexpr std::uint32_t now_index = aggregate_base - 2;

/// Columns of the query around a subquery, and subqueries of an expression.
inline constexpr std::uint32_t outer_base = aggregate_base + (1U << 28);
inline constexpr std::uint32_t subquery_base = aggregate_base + (1U << 29);

/// Expressions are at most this deep.
inline constexpr std::uint32_t max_expr_depth = 400;

/// Operands that a construct repeats (`x BETWEEN …`) make at most this many nodes.
inline constexpr std::size_t max_repeated_nodes = 5'000;

struct sort_item {
  expr_ptr x;
  bool descending = false;
  bool nulls_first = false;
};

/// A call of an aggregate; its expressions are over the rows of FROM.
struct aggregate_use {
  const aggregate_function* function = nullptr;
  std::vector<expr_ptr> args;
  expr_ptr filter;
  bool distinct = false;
  std::vector<sort_item> order;
  sql_type type;
  std::int32_t at = -1;
};

/// An aggregate that is never NULL, and 0 of no rows.
[[nodiscard]] inline bool is_count(std::string_view aggregate) noexcept {
  return aggregate == "count" || aggregate == "regr_count";
}

/// A function OVER a window; its expressions may refer to aggregates.
struct over_use {
  over_call::kind what = over_call::kind::aggregate;
  std::string name;
  aggregate_use call; ///< aggregate; otherwise `args` and `type` only
  std::vector<expr_ptr> partition;
  std::vector<sort_item> order;
  frame_spec frame;
  std::int64_t distance = 1;
  std::int32_t at = -1;
};

class expr_binder;

/// Binds the subqueries of expressions.
class subquery_binder {
public:
  virtual ~subquery_binder() = default;

  /// The value of a SubLink; `operands` binds what stands before IN.
  [[nodiscard]] virtual result<expr_ptr> bind_subquery(const ast& sublink,
                                                       expr_binder& operands) = 0;
};

/// Columns of the query around a subquery, as far as the subquery names them.
struct outer_row {
  const scope* columns = nullptr;
  std::vector<expr_ptr> used; ///< over the outer FROM row
  const outer_row* around = nullptr; ///< of the query that is around that one; null = none

  /// `x` as a column from outer_base on.
  [[nodiscard]] expr_ptr take(const expr_ptr& x);
};

/// What expressions of one clause may contain.
struct bind_context {
  const scope* columns = nullptr;
  std::vector<aggregate_use>* aggregates = nullptr; ///< null = refused with `no_aggregates`
  std::vector<over_use>* overs = nullptr;           ///< null = refused with `no_overs`
  const ast::array_t* windows = nullptr;            ///< the WINDOW clause
  /// Places of column references, for errors found later; may be null.
  std::unordered_map<const expr*, std::int32_t>* places = nullptr;
  bool proctime = false;                 ///< `proctime()` may be used
  bool now = false;                      ///< `now()` may be used
  subquery_binder* subqueries = nullptr; ///< null = refused
  outer_row* outer = nullptr;            ///< null = not in a subquery, or not allowed here
  std::string no_aggregates;
  std::string no_overs;
};

/// Binds the expressions of one clause. Not thread-safe; one per clause.
class expr_binder {
public:
  expr_binder(const sql_text& text, bind_context context)
      : text_(text), context_(std::move(context)) {}

  /// The type may be `unknown`: an untyped literal.
  [[nodiscard]] result<expr_ptr> bind(const ast& node);
  /// As `bind`, an untyped literal becomes TEXT.
  [[nodiscard]] result<expr_ptr> bind_value(const ast& node);
  /// A BOOLEAN: `argument of WHERE must be type boolean, not type integer`.
  [[nodiscard]] result<expr_ptr> bind_condition(const ast& node, std::string_view clause);
  [[nodiscard]] result<sort_item> bind_sort(const ast& sort_by);
  /// An operator on bound operands; one for a prefix operator.
  [[nodiscard]] result<expr_ptr> operation(std::string_view name, std::vector<expr_ptr> args,
                                           std::int32_t at);
  /// A function of the catalog on bound arguments; errors speak of `shown_name`.
  [[nodiscard]] result<expr_ptr> call_function(const std::string& name, std::vector<expr_ptr> args,
                                               std::int32_t at, const std::string& shown_name);

private:
  result<expr_ptr> bind_node(const ast& node);
  // bind_literal.cpp
  result<expr_ptr> bind_constant(const ast& body);
  result<expr_ptr> bind_cast(const ast& body);
  result<expr_ptr> bind_interval(const std::string& written, std::int32_t fields, std::int32_t at);
  result<expr_ptr> bind_array(const ast& body);
  result<expr_ptr> bind_cast_array(const ast& body, const cast_modifiers& to,
                                   std::int32_t cast_place);
  result<expr_ptr> cast_to(expr_ptr x, const sql_type& type, std::int32_t at,
                           std::int32_t cast_place);
  result<expr_ptr> rounded(expr_ptr x, std::int32_t digits, std::int32_t at);
  [[nodiscard]] result<void> check_dimensions(const ast::array_t& elements) const;
  // bind_expr.cpp
  result<expr_ptr> bind_column(const ast& body);
  result<expr_ptr> bind_boolean(const ast& body);
  result<expr_ptr> bind_null_test(const ast& body);
  result<expr_ptr> bind_boolean_test(const ast& body);
  // bind_choice.cpp
  result<expr_ptr> bind_case(const ast& body);
  result<expr_ptr> bind_coalesce(const ast& body);
  result<expr_ptr> bind_min_max(const ast& body);
  result<expr_ptr> bind_nullif(const ast& body);
  result<std::vector<expr_ptr>> to_common_type(std::vector<expr_ptr> items,
                                               const std::vector<std::int32_t>& places,
                                               std::string_view what);
  // bind_operator.cpp
  result<expr_ptr> bind_operation(const ast& body);
  result<expr_ptr> bind_in(const ast& body, std::string_view name);
  result<expr_ptr> bind_any_all(const ast& body, std::string_view name, bool any);
  result<expr_ptr> bind_any_all_of(const ast& body, std::string_view name, bool any);
  result<expr_ptr> bind_between(const ast& body);
  result<expr_ptr> bind_distinct(const ast& body, bool negated);
  // bind_function.cpp
  result<expr_ptr> bind_function(const ast& body);
  result<expr_ptr> bind_subscript(const ast& body);
  result<expr_ptr> function(const std::string& name, std::vector<expr_ptr> args, std::int32_t at);
  result<std::vector<expr_ptr>> outputs_as_text(std::string_view name, std::vector<expr_ptr> args,
                                                std::int32_t at);
  result<expr_ptr> refused_function(const std::string& name, std::int32_t at);
  /// now() where it may stand; TIMESTAMPTZ, or TIMESTAMP.
  expr_ptr present(type_kind kind, std::string written, std::int32_t at);
  /// The call of a catalog function whose parameters are reached by implicit casts.
  result<expr_ptr> call(const scalar_function& chosen, std::vector<expr_ptr> args, std::string text,
                        std::int32_t at);
  // bind_aggregate.cpp
  result<expr_ptr> bind_aggregate(const std::string& name, const ast& body);
  result<aggregate_use> aggregate_call_of(const std::string& name, const ast& body,
                                          expr_binder& inner);
  // bind_over.cpp
  result<expr_ptr> bind_over(const std::string& name, const ast& body);
  result<const ast*> window_named(std::string_view name, std::int32_t at) const;
  result<void> bind_window(const ast& definition, expr_binder& inner, over_use& use);
  result<void> bind_frame(const ast& definition, over_use& use);
  result<std::int64_t> frame_offset(const ast& node, std::string_view which, const over_use& use);
  result<void> bind_over_function(const ast& body, std::size_t args_min, std::size_t args_max,
                                  expr_binder& inner, over_use& use);

  result<std::vector<expr_ptr>> bind_all(const ast::array_t& nodes);
  /// Refuses expressions that would grow without bound: `x` is to appear `copies` times.
  [[nodiscard]] result<void> check_copies(const expr& x, std::size_t copies, std::int32_t at) const;

  const sql_text& text_;
  bind_context context_;
  std::uint32_t depth_ = 0;
};

/// A constant call computed once, other expressions as they are.
[[nodiscard]] expr_ptr folded(expr_ptr x);

/// and_/or_ of BOOLEAN expressions; one of them alone as it is; null for none.
[[nodiscard]] expr_ptr combine(expr_kind kind, std::vector<expr_ptr> parts);

/// Text of an expression for messages, shortened.
[[nodiscard]] std::string shown(const expr& x);

} // namespace ebb::sql
