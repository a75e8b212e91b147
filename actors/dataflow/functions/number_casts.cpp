#include "actors/dataflow/functions/number_casts.hpp"

#include "actors/dataflow/functions/float_checks.hpp"

#include <cmath>
#include <limits>

namespace ebb {

namespace {

template <class From, class To>
struct widen_op {
  static To apply(From x) noexcept {
    return static_cast<To>(x);
  }
};

struct bool_flags {
  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }
};

template <class From, class To>
struct narrow_op : bool_flags {
  static unsigned apply(From x, To& r) noexcept {
    r = static_cast<To>(x);
    return r != x ? 1U : 0U;
  }

  static error failure(From) {
    return out_of_range<To>();
  }
};

// Rounds half to even, as the processor does.
template <class From, class To>
struct round_op : bool_flags {
  static unsigned apply(From x, To& r) noexcept {
    constexpr auto lowest = static_cast<From>(std::numeric_limits<To>::min());
    const From rounded = std::rint(x);
    const bool fits = rounded >= lowest && rounded < -lowest; // false for NaN
    r = static_cast<To>(fits ? rounded : From{0});
    return fits ? 0U : 1U;
  }

  static error failure(From) {
    return out_of_range<To>();
  }
};

struct to_real_op : bool_flags {
  static unsigned apply(double x, float& r) noexcept {
    r = static_cast<float>(x);
    return (is_infinite(r) & !is_infinite(x)) | ((r == 0) & (x != 0)) ? 1U : 0U;
  }

  static error failure(double x) {
    return is_infinite(static_cast<float>(x)) ? float_overflow() : float_underflow();
  }
};

struct to_boolean_op {
  static std::uint8_t apply(std::int32_t x) noexcept {
    return x != 0 ? 1 : 0;
  }
};

template <class From, class To>
void add_widening(function_catalog& catalog) {
  add_cast(catalog, kind_of<From>, kind_of<To>, cast_context::implicit,
           plain_unary<widen_op<From, To>, From, To>, false);
}

template <class From, class To>
void add_narrowing(function_catalog& catalog) {
  add_cast(catalog, kind_of<From>, kind_of<To>, cast_context::assignment,
           checked_unary<narrow_op<From, To>, From, To>, true);
}

template <class From, class To>
void add_rounding(function_catalog& catalog) {
  add_cast(catalog, kind_of<From>, kind_of<To>, cast_context::assignment,
           checked_unary<round_op<From, To>, From, To>, true);
}

} // namespace

void register_plain_number_casts(function_catalog& catalog) {
  using i16 = std::int16_t;
  using i32 = std::int32_t;
  using i64 = std::int64_t;
  add_widening<i16, i32>(catalog);
  add_widening<i16, i64>(catalog);
  add_widening<i16, float>(catalog);
  add_widening<i16, double>(catalog);
  add_widening<i32, i64>(catalog);
  add_widening<i32, float>(catalog);
  add_widening<i32, double>(catalog);
  add_widening<i64, float>(catalog);
  add_widening<i64, double>(catalog);
  add_widening<float, double>(catalog);
  add_narrowing<i32, i16>(catalog);
  add_narrowing<i64, i16>(catalog);
  add_narrowing<i64, i32>(catalog);
  add_rounding<float, i16>(catalog);
  add_rounding<float, i32>(catalog);
  add_rounding<float, i64>(catalog);
  add_rounding<double, i16>(catalog);
  add_rounding<double, i32>(catalog);
  add_rounding<double, i64>(catalog);
  add_cast(catalog, type_kind::double_precision, type_kind::real, cast_context::assignment,
           checked_unary<to_real_op, double, float>, true);
  add_cast(catalog, type_kind::integer, type_kind::boolean, cast_context::explicit_only,
           plain_unary<to_boolean_op, i32, std::uint8_t>, false);
  add_cast(catalog, type_kind::boolean, type_kind::integer, cast_context::explicit_only,
           plain_unary<widen_op<std::uint8_t, i32>, std::uint8_t, i32>, false);
}

void register_number_casts(function_catalog& catalog) {
  register_plain_number_casts(catalog);
  register_numeric_casts(catalog);
}

} // namespace ebb
