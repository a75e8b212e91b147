#include "actors/dataflow/functions/float_checks.hpp"
#include "actors/dataflow/functions/math.hpp"
#include "actors/dataflow/functions/number_kernel.hpp"

#include <cmath>

namespace ebb {

namespace {

template <class T>
struct abs_op {
  static T apply(T x) noexcept {
    return std::fabs(x);
  }
};

struct round_op {
  static double apply(double x) noexcept {
    return std::rint(x);
  }
};

struct floor_op {
  static double apply(double x) noexcept {
    return std::floor(x);
  }
};

struct ceil_op {
  static double apply(double x) noexcept {
    return std::ceil(x);
  }
};

struct trunc_op {
  static double apply(double x) noexcept {
    return std::trunc(x);
  }
};

struct sign_op {
  static double apply(double x) noexcept {
    return x > 0 ? 1 : x < 0 ? -1 : 0; // NaN has none
  }
};

struct bool_flags {
  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }
};

struct sqrt_op : bool_flags {
  static unsigned apply(double x, double& r) noexcept {
    r = std::sqrt(x);
    return x < 0 ? 1U : 0U;
  }

  static error failure(double) {
    return evaluation_error("cannot take square root of a negative number");
  }
};

struct cbrt_op {
  static double apply(double x) noexcept {
    return std::cbrt(x);
  }
};

struct exp_op : bool_flags {
  static unsigned apply(double x, double& r) noexcept {
    r = std::exp(x);
    return !is_infinite(x) && (is_infinite(r) || r == 0) ? 1U : 0U;
  }

  static error failure(double x) {
    return x > 0 ? float_overflow() : float_underflow();
  }
};

template <double (*F)(double)>
struct log_op : bool_flags {
  static unsigned apply(double x, double& r) noexcept {
    r = F(x);
    return x <= 0 ? 1U : 0U;
  }

  static error failure(double x) {
    return evaluation_error(x == 0 ? "cannot take logarithm of zero"
                                   : "cannot take logarithm of a negative number");
  }
};

double natural_log(double x) {
  return std::log(x);
}

double decimal_log(double x) {
  return std::log10(x);
}

// The rules of POSIX pow(), which the C library follows for NaN and infinities, with errors where
// SQL wants them.
struct power_op : bool_flags {
  static constexpr unsigned zero = 1;
  static constexpr unsigned complex = 2;
  static constexpr unsigned over = 4;
  static constexpr unsigned under = 8;

  static unsigned apply(double x, double y, double& r) noexcept {
    r = 0;
    if (x != x || y != y) {
      r = x == 1 || y == 0 ? 1 : x != x ? x : y;
      return 0;
    }
    if (x == 0 && y < 0)
      return zero;
    if (x < 0 && std::floor(y) != y)
      return complex;
    r = std::pow(x, y);
    if (is_infinite(x) || is_infinite(y))
      return 0;
    return is_infinite(r) ? over : r == 0 && x != 0 ? under : 0;
  }

  static error failure(double x, double y) {
    double r = 0;
    switch (apply(x, y, r)) {
    case zero:
      return evaluation_error("zero raised to a negative power is undefined");
    case complex:
      return evaluation_error(
          "a negative number raised to a non-integer power yields a complex result");
    case over:
      return float_overflow();
    default:
      return float_underflow();
    }
  }
};

} // namespace

void register_float_math(function_catalog& catalog) {
  for (const char* name : {"abs", "@"}) {
    add_plain_unary<abs_op<double>, double, double>(catalog, name);
    add_plain_unary<abs_op<float>, float, float>(catalog, name);
  }
  add_plain_unary<round_op, double, double>(catalog, "round");
  add_plain_unary<floor_op, double, double>(catalog, "floor");
  add_plain_unary<ceil_op, double, double>(catalog, "ceil");
  add_plain_unary<ceil_op, double, double>(catalog, "ceiling");
  add_plain_unary<trunc_op, double, double>(catalog, "trunc");
  add_plain_unary<sign_op, double, double>(catalog, "sign");
  for (const char* name : {"sqrt", "|/"})
    add_checked_unary<sqrt_op, double, double>(catalog, name);
  for (const char* name : {"cbrt", "||/"})
    add_plain_unary<cbrt_op, double, double>(catalog, name);
  add_checked_unary<exp_op, double, double>(catalog, "exp");
  add_checked_unary<log_op<natural_log>, double, double>(catalog, "ln");
  for (const char* name : {"log", "log10"})
    add_checked_unary<log_op<decimal_log>, double, double>(catalog, name);
  for (const char* name : {"power", "pow", "^"})
    add_checked_binary<power_op, double, double, double>(catalog, name);
}

} // namespace ebb
