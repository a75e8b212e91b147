#include "actors/dataflow/functions/float_checks.hpp"
#include "actors/dataflow/functions/math.hpp"
#include "actors/dataflow/functions/number_kernel.hpp"

#include <algorithm>
#include <cmath>

namespace ebb {

namespace {

constexpr double radians_per_degree = 0.0174532925199432957692;
constexpr double pi = 3.14159265358979323846;

using function = double (*)(double);
using test = bool (*)(double);

error input_out_of_range() {
  return evaluation_error("input is out of range");
}

// f(x), refused where `Outside` holds.
template <function F, test Outside>
struct partial_op {
  static unsigned apply(double x, double& r) noexcept {
    r = F(x);
    return Outside(x) ? 1U : 0U;
  }

  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }

  static error failure(double) {
    return input_out_of_range();
  }
};

bool infinite(double x) {
  return is_infinite(x);
}

bool beyond_one(double x) {
  return x < -1 || x > 1;
}

bool below_one(double x) {
  return x < 1;
}

double cotangent(double x) {
  return 1 / std::tan(x);
}

template <function F>
struct total_op {
  static double apply(double x) noexcept {
    return F(x);
  }
};

struct atan2_op {
  static double apply(double y, double x) noexcept {
    return std::atan2(y, x);
  }
};

struct degrees_op {
  static unsigned apply(double x, double& r) noexcept {
    r = x / radians_per_degree;
    return overflowed(r, x, x) ? 1U : 0U;
  }

  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }

  static error failure(double) {
    return float_overflow();
  }
};

struct radians_op {
  static unsigned apply(double x, double& r) noexcept {
    r = x * radians_per_degree;
    return (r == 0) & (x != 0) ? 1U : 0U;
  }

  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }

  static error failure(double) {
    return float_underflow();
  }
};

result<column> pi_rows(const call_context& context, std::span<const column>) {
  column out = make_column(context.type, context.rows);
  std::fill_n(out.mutable_data<double>(), context.rows, pi);
  return out;
}

template <function F, test Outside>
void add_partial(function_catalog& catalog, const char* name) {
  add_checked_unary<partial_op<F, Outside>, double, double>(catalog, name);
}

template <function F>
void add_total(function_catalog& catalog, const char* name) {
  add_plain_unary<total_op<F>, double, double>(catalog, name);
}

} // namespace

void register_trigonometry(function_catalog& catalog) {
  add_partial<std::sin, infinite>(catalog, "sin");
  add_partial<std::cos, infinite>(catalog, "cos");
  add_partial<std::tan, infinite>(catalog, "tan");
  add_partial<cotangent, infinite>(catalog, "cot");
  add_partial<std::asin, beyond_one>(catalog, "asin");
  add_partial<std::acos, beyond_one>(catalog, "acos");
  add_total<std::atan>(catalog, "atan");
  add_total<std::sinh>(catalog, "sinh");
  add_total<std::cosh>(catalog, "cosh");
  add_total<std::tanh>(catalog, "tanh");
  add_total<std::asinh>(catalog, "asinh");
  add_partial<std::acosh, below_one>(catalog, "acosh");
  add_partial<std::atanh, beyond_one>(catalog, "atanh");
  constexpr auto real_kind = type_kind::double_precision;
  catalog.add(make_function("atan2", {real_kind, real_kind}, real_kind,
                            plain_binary<atan2_op, double, double, double>, false));
  add_checked_unary<degrees_op, double, double>(catalog, "degrees");
  add_checked_unary<radians_op, double, double>(catalog, "radians");
  catalog.add(make_function("pi", {}, real_kind, pi_rows, false));
}

} // namespace ebb
