/// Loops that turn an operation on plain values into a kernel over columns of fixed-width values.
/// Internal to the functions on numbers.
///
/// An operation is a struct of static functions. `apply(a, b, r)` computes r and returns flags
/// whose OR over a batch tells `failed` whether some row failed: the loop stays free of branches,
/// and only a batch with a failure is looked through for its first valid row. `failure(a, b)` makes
/// the error of a row.
#pragma once

#include "actors/dataflow/function.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace ebb {

template <class T>
inline constexpr type_kind kind_of = type_kind::unknown;
template <>
inline constexpr type_kind kind_of<bool> = type_kind::boolean;
template <>
inline constexpr type_kind kind_of<std::int16_t> = type_kind::smallint;
template <>
inline constexpr type_kind kind_of<std::int32_t> = type_kind::integer;
template <>
inline constexpr type_kind kind_of<std::int64_t> = type_kind::bigint;
template <>
inline constexpr type_kind kind_of<float> = type_kind::real;
template <>
inline constexpr type_kind kind_of<double> = type_kind::double_precision;

/// Whether the kernel must get row i right, and may fail for it.
inline bool is_valid(const call_context& context, std::uint32_t i) noexcept {
  return context.valid == nullptr || get_bit(context.valid, i);
}

inline error evaluation_error(std::string message) {
  return make_error(ec::evaluation, std::move(message));
}

/// The error of row i.
inline error at_row(error problem, std::uint32_t i) {
  problem.row = i;
  return problem;
}

/// `<type> out of range`.
template <class T>
error out_of_range() {
  return evaluation_error(std::string(to_string(kind_of<T>)) + " out of range");
}

/// r = f(a, b) with Op::apply, Op::failed and Op::failure.
template <class Op, class A, class B, class R>
result<column> checked_binary(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_column(context.type, rows);
  const A* const a = args[0].data<A>();
  const B* const b = args[1].data<B>();
  R* const to = out.mutable_data<R>();
  decltype(Op::apply(A{}, B{}, *to)) flags{};
  if (args[0].constant) {
    const A x = a[0];
    for (std::uint32_t i = 0; i < rows; ++i)
      flags |= Op::apply(x, b[i], to[i]);
  } else if (args[1].constant) {
    const B y = b[0];
    for (std::uint32_t i = 0; i < rows; ++i)
      flags |= Op::apply(a[i], y, to[i]);
  } else {
    for (std::uint32_t i = 0; i < rows; ++i)
      flags |= Op::apply(a[i], b[i], to[i]);
  }
  if (Op::failed(flags)) [[unlikely]] {
    for (std::uint32_t i = 0; i < rows; ++i) {
      R r;
      const A x = a[args[0].at(i)];
      const B y = b[args[1].at(i)];
      if (is_valid(context, i) && Op::failed(Op::apply(x, y, r)))
        return at_row(Op::failure(x, y), i);
    }
  }
  return out;
}

/// r = f(a), checked.
template <class Op, class A, class R>
result<column> checked_unary(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_column(context.type, rows);
  const A* const a = args[0].data<A>();
  R* const to = out.mutable_data<R>();
  decltype(Op::apply(A{}, *to)) flags{};
  for (std::uint32_t i = 0; i < rows; ++i)
    flags |= Op::apply(a[i], to[i]);
  if (Op::failed(flags)) [[unlikely]] {
    for (std::uint32_t i = 0; i < rows; ++i) {
      R r;
      if (is_valid(context, i) && Op::failed(Op::apply(a[i], r)))
        return at_row(Op::failure(a[i]), i);
    }
  }
  return out;
}

/// r = f(a, b) that cannot fail: Op::apply returns r.
template <class Op, class A, class B, class R>
result<column> plain_binary(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_column(context.type, rows);
  const A* const a = args[0].data<A>();
  const B* const b = args[1].data<B>();
  R* const to = out.mutable_data<R>();
  if (args[0].constant) {
    const A x = a[0];
    for (std::uint32_t i = 0; i < rows; ++i)
      to[i] = Op::apply(x, b[i]);
  } else if (args[1].constant) {
    const B y = b[0];
    for (std::uint32_t i = 0; i < rows; ++i)
      to[i] = Op::apply(a[i], y);
  } else {
    for (std::uint32_t i = 0; i < rows; ++i)
      to[i] = Op::apply(a[i], b[i]);
  }
  return out;
}

/// r = f(a) that cannot fail.
template <class Op, class A, class R>
result<column> plain_unary(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_column(context.type, rows);
  const A* const a = args[0].data<A>();
  R* const to = out.mutable_data<R>();
  for (std::uint32_t i = 0; i < rows; ++i)
    to[i] = Op::apply(a[i]);
  return out;
}

/// The argument itself: unary plus, and casts between types of one form.
inline result<column> same_value(const call_context& context, std::span<const column> args) {
  column out = args[0];
  out.type = context.type;
  return out;
}

/// A strict function of kinds without modifiers.
inline scalar_function make_function(std::string name, const std::vector<type_kind>& params,
                                     type_kind returns, kernel run, bool may_fail) {
  scalar_function f;
  f.name = std::move(name);
  for (const auto kind : params)
    f.params.push_back(sql_type{kind});
  f.returns = sql_type{returns};
  f.run = run;
  f.may_fail = may_fail;
  return f;
}

/// Registers f(A, B) → R as a checked loop of Op.
template <class Op, class A, class B, class R>
void add_checked_binary(function_catalog& catalog, const std::string& name) {
  catalog.add(
      make_function(name, {kind_of<A>, kind_of<B>}, kind_of<R>, checked_binary<Op, A, B, R>, true));
}

template <class Op, class A, class R>
void add_checked_unary(function_catalog& catalog, const std::string& name) {
  catalog.add(make_function(name, {kind_of<A>}, kind_of<R>, checked_unary<Op, A, R>, true));
}

template <class Op, class A, class R>
void add_plain_unary(function_catalog& catalog, const std::string& name) {
  catalog.add(make_function(name, {kind_of<A>}, kind_of<R>, plain_unary<Op, A, R>, false));
}

} // namespace ebb
