/// Shared parts of the kernels on times: arguments as arrays, and loops over one to three of them.
#pragma once

#include "actors/dataflow/calendar.hpp"
#include "actors/dataflow/function.hpp"

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>

namespace ebb::time_kernel {

/// Messages of PostgreSQL. A row's computation returns one of these, or null when it succeeded.
using failure = const char*;
inline constexpr failure ok = nullptr;
inline constexpr failure timestamp_range = "timestamp out of range";
inline constexpr failure date_range = "date out of range";
inline constexpr failure interval_range = "interval out of range";

/// An argument of fixed width; constants have step 0.
template <class T>
class values {
public:
  explicit values(const column& x) : data_(x.data<T>()), step_(x.constant ? 0 : 1) {}

  [[nodiscard]] T operator[](std::uint32_t i) const noexcept {
    return data_[i * step_];
  }

private:
  const T* data_;
  std::uint32_t step_;
};

/// A TEXT argument; constants have step 0.
class texts {
public:
  explicit texts(const column& x) : refs_(x.data<text_ref>()), step_(x.constant ? 0 : 1) {}

  [[nodiscard]] std::string_view operator[](std::uint32_t i) const noexcept {
    return refs_[i * step_].view();
  }

private:
  const text_ref* refs_;
  std::uint32_t step_;
};

[[nodiscard]] inline bool skipped(const call_context& context, std::uint32_t i) noexcept {
  return context.valid != nullptr && !get_bit(context.valid, i);
}

[[nodiscard]] inline error failed(std::uint32_t row, std::string message, std::string hint = {}) {
  auto out = make_error(ec::evaluation, std::move(message), std::move(hint));
  out.row = row;
  return out;
}

/// Computes each row that counts with `step(row, out) -> failure`.
template <class To, class Step>
result<column> each_row(const call_context& context, Step step) {
  auto out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<To>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i)) {
      to[i] = To{};
      continue;
    }
    if (const auto problem = step(i, to[i]); problem != ok)
      return failed(i, problem);
  }
  return out;
}

/// Function: static failure run(From, To&).
template <class From, class To, auto Function>
result<column> unary(const call_context& context, std::span<const column> args) {
  const values<From> a(args[0]);
  return each_row<To>(context, [&](std::uint32_t i, To& out) { return Function(a[i], out); });
}

template <class A, class B, class To, auto Function>
result<column> binary(const call_context& context, std::span<const column> args) {
  const values<A> a(args[0]);
  const values<B> b(args[1]);
  return each_row<To>(context, [&](std::uint32_t i, To& out) { return Function(a[i], b[i], out); });
}

/// The same with the arguments exchanged, for operators that commute.
template <class A, class B, class To, auto Function>
result<column> swapped(const call_context& context, std::span<const column> args) {
  const values<B> b(args[0]);
  const values<A> a(args[1]);
  return each_row<To>(context, [&](std::uint32_t i, To& out) { return Function(a[i], b[i], out); });
}

/// One overload; parameters are kinds without modifiers. All are strict.
struct overload {
  const char* name;
  std::initializer_list<type_kind> params;
  type_kind returns;
  kernel run;
  bool may_fail = false;
  decltype(scalar_function::bind) bind = nullptr;
};

inline void add(function_catalog& catalog, const overload& x) {
  scalar_function f;
  f.name = x.name;
  for (const auto kind : x.params)
    f.params.push_back(sql_type{kind});
  f.returns = sql_type{x.returns};
  f.run = x.run;
  f.may_fail = x.may_fail;
  f.bind = x.bind;
  catalog.add(std::move(f));
}

/// `t` plus an interval, months first, then days, then time.
[[nodiscard]] failure add_interval(micros t, const interval_value& x, micros& out) noexcept;

/// Text of the constant TEXT argument `x` in lower case; nothing when it is no constant or NULL.
[[nodiscard]] std::optional<std::string> constant_text(const expr_ptr& x);

/// Seconds east of UTC of a fixed time zone as AT TIME ZONE takes it (lower case): `utc`, `est`, or
/// a POSIX offset, whose sign is west (`utc+2`, `-02:00`).
[[nodiscard]] std::optional<std::int32_t> zone_offset(std::string_view name);
[[nodiscard]] error unknown_zone(std::string_view name);

/// The parts of register_time, one a file.
void register_time_extract(function_catalog& catalog);
void register_time_truncate(function_catalog& catalog);
void register_time_arithmetic(function_catalog& catalog);
void register_interval(function_catalog& catalog);
void register_time_make(function_catalog& catalog);
void register_time_zone(function_catalog& catalog);
void register_time_format(function_catalog& catalog);
void register_time_parse(function_catalog& catalog);
void register_time_precision(function_catalog& catalog);
void register_number_format(function_catalog& catalog);
void register_number_parse(function_catalog& catalog);

} // namespace ebb::time_kernel
