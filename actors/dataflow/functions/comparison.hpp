/// The families of `register_comparison`, and what they share.
///
/// A family is a struct with a template `run<Relation>`, a kernel for a strict relation of its two
/// argument types; `add_comparisons` registers it under all six operators and IS [NOT] DISTINCT
/// FROM.
#pragma once

#include "actors/dataflow/functions/number_kernel.hpp"

#include <concepts>
#include <cstring>

namespace ebb {

// Relations, of plain values and of three-way results. NaN is equal to NaN and above all others.
// Without branches, so that loops vectorise.
struct equal_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    if constexpr (std::floating_point<T>)
      return (a == b) | ((a != a) & (b != b));
    else
      return a == b;
  }

  static bool holds(int order) noexcept {
    return order == 0;
  }
};

struct less_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    if constexpr (std::floating_point<T>)
      return (a < b) | ((a == a) & (b != b));
    else
      return a < b;
  }

  static bool holds(int order) noexcept {
    return order < 0;
  }
};

struct less_equal_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    if constexpr (std::floating_point<T>)
      return (a <= b) | (b != b);
    else
      return a <= b;
  }

  static bool holds(int order) noexcept {
    return order <= 0;
  }
};

struct not_equal_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    return !equal_relation::of(a, b);
  }

  static bool holds(int order) noexcept {
    return order != 0;
  }
};

struct greater_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    return less_relation::of(b, a);
  }

  static bool holds(int order) noexcept {
    return order > 0;
  }
};

struct greater_equal_relation {
  template <class T>
  static bool of(T a, T b) noexcept {
    return less_equal_relation::of(b, a);
  }

  static bool holds(int order) noexcept {
    return order >= 0;
  }
};

/// Three-way comparison of value i of a with value k of b, neither NULL.
using value_order = int (*)(const column& a, std::uint32_t i, const column& b, std::uint32_t k);

/// The order of a kind, which is not an array.
[[nodiscard]] value_order order_of(type_kind kind);

/// Relation by a three-way comparison.
template <class Relation>
result<column> ordered_rows(const call_context& context, std::span<const column> args,
                            value_order order) {
  column out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::uint8_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i)
    to[i] = is_valid(context, i) && Relation::holds(order(args[0], i, args[1], i)) ? 1 : 0;
  return out;
}

/// Family of a pair of types that needs no special loops.
template <value_order Order>
struct ordered_family {
  template <class Relation>
  static result<column> run(const call_context& context, std::span<const column> args) {
    return ordered_rows<Relation>(context, args, Order);
  }
};

/// IS NOT DISTINCT FROM (`Same`), or its negation: equality where NULL is a value.
template <class Family, bool Same>
result<column> distinct_rows(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  std::vector<std::uint8_t> valid;
  const bool nulls = args[0].has_nulls() || args[1].has_nulls();
  if (nulls) {
    valid.assign((rows + 7) / 8, 0);
    for (std::uint32_t i = 0; i < rows; ++i)
      if (!args[0].is_null(i) && !args[1].is_null(i))
        set_bit(valid.data(), i);
  }
  const call_context both{context.type, rows, context.bound, nulls ? valid.data() : nullptr};
  using relation = std::conditional_t<Same, equal_relation, not_equal_relation>;
  EBB_ASSIGN(column out, Family::template run<relation>(both, args));
  if (nulls) {
    auto* to = out.mutable_data<std::uint8_t>();
    for (std::uint32_t i = 0; i < rows; ++i)
      if (!get_bit(valid.data(), i))
        to[i] = (args[0].is_null(i) == args[1].is_null(i)) == Same ? 1 : 0;
  }
  return out;
}

/// Registers a family for a pair of types.
template <class Family>
void add_comparisons(function_catalog& catalog, sql_type left, sql_type right) {
  const auto add = [&](const char* name, kernel run, bool strict) {
    scalar_function f;
    f.name = name;
    f.params = {left, right};
    f.returns = sql_type{type_kind::boolean};
    f.run = run;
    f.strict = strict;
    catalog.add(std::move(f));
  };
  add("=", Family::template run<equal_relation>, true);
  add("<>", Family::template run<not_equal_relation>, true);
  add("<", Family::template run<less_relation>, true);
  add("<=", Family::template run<less_equal_relation>, true);
  add(">", Family::template run<greater_relation>, true);
  add(">=", Family::template run<greater_equal_relation>, true);
  add("is distinct from", distinct_rows<Family, false>, false);
  add("is not distinct from", distinct_rows<Family, true>, false);
}

void register_plain_comparison(function_catalog& catalog); ///< integers, floats, boolean, times
void register_mixed_time_comparison(function_catalog& catalog); ///< date with timestamps; interval
void register_numeric_comparison(function_catalog& catalog);
void register_text_comparison(function_catalog& catalog); ///< text and bytea
void register_array_comparison(function_catalog& catalog);
void register_extremes(function_catalog& catalog); ///< greatest, least

} // namespace ebb
