#include "actors/dataflow/functions/arithmetic.hpp"
#include "actors/dataflow/functions/float_checks.hpp"
#include "actors/dataflow/functions/number_kernel.hpp"

#include <cmath>
#include <type_traits>

namespace ebb {

namespace {

// Flags of the checked loops.
struct look_flags {
  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }
};

template <class R>
struct add_op : look_flags {
  static unsigned apply(R a, R b, R& r) noexcept {
    r = a + b;
    return overflowed(r, a, b) ? 1U : 0U;
  }

  static error failure(R, R) {
    return float_overflow();
  }
};

template <class R>
struct subtract_op : look_flags {
  static unsigned apply(R a, R b, R& r) noexcept {
    r = a - b;
    return overflowed(r, a, b) ? 1U : 0U;
  }

  static error failure(R, R) {
    return float_overflow();
  }
};

template <class R>
struct multiply_op : look_flags {
  static unsigned apply(R a, R b, R& r) noexcept {
    r = a * b;
    return overflowed(r, a, b) | ((r == 0) & (a != 0) & (b != 0)) ? 1U : 0U;
  }

  static error failure(R a, R b) {
    return overflowed(a * b, a, b) ? float_overflow() : float_underflow();
  }
};

template <class R>
struct divide_op : look_flags {
  static unsigned apply(R a, R b, R& r) noexcept {
    r = a / b;
    const bool zero = (b == 0) & (a == a);
    const bool over = is_infinite(r) & !is_infinite(a);
    const bool under = (r == 0) & (a != 0) & !is_infinite(b);
    return zero | over | under ? 1U : 0U;
  }

  static error failure(R a, R b) {
    if (b == 0)
      return evaluation_error("division by zero");
    return is_infinite(a / b) ? float_overflow() : float_underflow();
  }
};

template <class R>
struct negate_op {
  static R apply(R a) noexcept {
    return -a;
  }
};

template <class A, class B>
void add_pair(function_catalog& catalog) {
  using wider = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;
  add_checked_binary<add_op<wider>, A, B, wider>(catalog, "+");
  add_checked_binary<subtract_op<wider>, A, B, wider>(catalog, "-");
  add_checked_binary<multiply_op<wider>, A, B, wider>(catalog, "*");
  add_checked_binary<divide_op<wider>, A, B, wider>(catalog, "/");
}

template <class T>
void add_single(function_catalog& catalog) {
  add_plain_unary<negate_op<T>, T, T>(catalog, "-");
  catalog.add(make_function("+", {kind_of<T>}, kind_of<T>, same_value, false));
}

} // namespace

void register_float_arithmetic(function_catalog& catalog) {
  add_pair<double, double>(catalog);
  add_pair<float, float>(catalog);
  add_pair<float, double>(catalog);
  add_pair<double, float>(catalog);
  add_single<double>(catalog);
  add_single<float>(catalog);
}

} // namespace ebb
