/// PostgreSQL's rules of type conversion: which casts may happen unasked, and the common type of
/// several expressions.
#pragma once

#include "actors/dataflow/function.hpp"
#include "actors/plan/sql/place.hpp"

#include <span>

namespace ebb::sql {

/// Type categories of PostgreSQL (`pg_type.typcategory`).
enum class type_category : char {
  array = 'A',
  boolean = 'B',
  date_time = 'D',
  number = 'N',
  string = 'S',
  timespan = 'T',
  user = 'U',
  unknown = 'X',
};

[[nodiscard]] type_category category_of(const sql_type& type) noexcept;
/// The preferred type of its category: boolean, double precision, text, timestamptz, interval.
[[nodiscard]] bool is_preferred(const sql_type& type) noexcept;

[[nodiscard]] inline bool same_kind(const sql_type& a, const sql_type& b) noexcept {
  return a.kind == b.kind && a.element == b.element;
}

/// Kind without modifiers.
[[nodiscard]] inline sql_type bare(const sql_type& type) noexcept {
  return {type.kind, type.element};
}

/// True if a value of `from` becomes `to` in this context without an explicit cast (an unknown
/// literal becomes anything).
[[nodiscard]] bool can_coerce(const sql_type& from, const sql_type& to, cast_context context);

/// `x` as a value of `to`: modifiers of `to` are applied. Contexts as in PostgreSQL; fails with
/// `cannot cast type …` where there is no such cast, or with the literal's own error. `at` is the
/// place of `x`.
[[nodiscard]] result<expr_ptr> coerce(const sql_text& text, const expr_ptr& x, const sql_type& to,
                                      cast_context context, std::int32_t at);

/// An unknown literal as TEXT; others as they are.
[[nodiscard]] result<expr_ptr> settle(const sql_text& text, const expr_ptr& x, std::int32_t at);

/// An untyped literal: a string, or NULL when `value` is null.
[[nodiscard]] expr_ptr make_unknown_literal(const std::string* value);

/// The common type of expressions (PostgreSQL's select_common_type), with the modifier where all
/// share it. `what` names the construct: `CASE`. `places` are for the error.
[[nodiscard]] result<sql_type> common_type(const sql_text& text, std::span<const expr_ptr> items,
                                           std::span<const std::int32_t> places,
                                           std::string_view what);

/// The common type of two column types (UNION).
[[nodiscard]] std::optional<sql_type> common_type(const sql_type& a, const sql_type& b);

} // namespace ebb::sql
