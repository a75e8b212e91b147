/// + − * / % on NUMERIC. Columns of one scale take tight 128-bit loops; where a loop meets a value
/// that does not fit, the batch is done again row by row.
#include "actors/dataflow/functions/arithmetic.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"
#include "actors/dataflow/numeric_divide.hpp"

namespace ebb {

namespace {

struct add_op {
  static bool combine(int128 a, int128 b, int128& r) noexcept {
    return add_checked(a, b, r);
  }

  static bool small(const small_numeric& a, const small_numeric& b, small_numeric& r) noexcept {
    r.scale = std::max(a.scale, b.scale);
    int128 left = 0;
    int128 right = 0;
    return scale_up(a.value, r.scale - a.scale, left) && scale_up(b.value, r.scale - b.scale, right)
           && add_checked(left, right, r.value);
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return add(a, b);
  }
};

struct subtract_op {
  static bool combine(int128 a, int128 b, int128& r) noexcept {
    return !__builtin_sub_overflow(a, b, &r) && r != int128_lowest;
  }

  static bool small(const small_numeric& a, const small_numeric& b, small_numeric& r) noexcept {
    return add_op::small(a, {-b.value, b.scale}, r);
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return subtract(a, b);
  }
};

struct multiply_op {
  static bool small(const small_numeric& a, const small_numeric& b, small_numeric& r) noexcept {
    if (a.scale + b.scale > numeric_scale_max)
      return false;
    r.scale = static_cast<std::int16_t>(a.scale + b.scale);
    return multiply_checked(a.value, b.value, r.value);
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return multiply(a, b);
  }
};

struct divide_op {
  static bool small(const small_numeric& a, const small_numeric& b, small_numeric& r) noexcept {
    int scale = 0;
    if (b.value == 0 || !divide_small(a.value, a.scale, b.value, b.scale, r.value, scale))
      return false;
    r.scale = static_cast<std::int16_t>(scale);
    return true;
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return divide(a, b);
  }
};

struct modulo_op {
  static bool small(const small_numeric& a, const small_numeric& b, small_numeric& r) noexcept {
    r.scale = std::max(a.scale, b.scale);
    int128 left = 0;
    int128 right = 0;
    if (b.value == 0 || !scale_up(a.value, r.scale - a.scale, left)
        || !scale_up(b.value, r.scale - b.scale, right))
      return false;
    r.value = fits_int64(left) && fits_int64(right) && right != -1
                  ? static_cast<std::int64_t>(left) % static_cast<std::int64_t>(right)
                  : left % right;
    return true;
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return modulo(a, b);
  }
};

struct negate_op {
  static bool small(const small_numeric& a, small_numeric& r) noexcept {
    r = {-a.value, a.scale};
    return true;
  }

  static result<numeric> wide(const numeric& a) {
    return subtract(numeric(), a);
  }
};

template <class Op, class Left, class Right>
bool combine_loop(const Left& left, const Right& right, std::uint32_t rows, int128* to) noexcept {
  bool fine = true;
  for (std::uint32_t i = 0; i < rows; ++i) {
    int128 a;
    int128 b;
    fine &= left.read(i, a);
    fine &= right.read(i, b);
    fine &= Op::combine(a, b, to[i]);
  }
  return fine;
}

template <class Op>
result<column> add_numeric(const call_context& context, std::span<const column> args) {
  const auto a_scale = uniform_scale(args[0]);
  const auto b_scale = uniform_scale(args[1]);
  if (a_scale && b_scale) {
    const auto scale = std::max(*a_scale, *b_scale);
    column out = make_uniform(context.type, context.rows, scale);
    auto* to = out.mutable_data<int128>();
    const bool fine = with_operand(args[0], scale - *a_scale, [&](const auto& left) {
      return with_operand(args[1], scale - *b_scale, [&](const auto& right) {
        return combine_loop<Op>(left, right, context.rows, to);
      });
    });
    if (fine)
      return out;
  }
  return numeric_rows<Op>(context, args);
}

// Products of operands that fit 64 bits fit 127.
bool multiply_column(const int128* a, std::int64_t b, std::uint32_t rows, int128* to) noexcept {
  bool fine = true;
  for (std::uint32_t i = 0; i < rows; ++i) {
    to[i] = static_cast<int128>(static_cast<std::int64_t>(a[i])) * b;
    fine &= fits_int64(a[i]);
  }
  return fine;
}

bool multiply_columns(const int128* a, const int128* b, std::uint32_t rows, int128* to) noexcept {
  bool fine = true;
  for (std::uint32_t i = 0; i < rows; ++i) {
    to[i] = static_cast<int128>(static_cast<std::int64_t>(a[i])) * static_cast<std::int64_t>(b[i]);
    fine &= fits_int64(a[i]) & fits_int64(b[i]);
  }
  return fine;
}

result<column> multiply_numeric(const call_context& context, std::span<const column> args) {
  const auto a_scale = uniform_scale(args[0]);
  const auto b_scale = uniform_scale(args[1]);
  if (a_scale && b_scale && *a_scale + *b_scale <= numeric_scale_max
      && !(args[0].constant && args[1].constant)) {
    column out =
        make_uniform(context.type, context.rows, static_cast<std::int16_t>(*a_scale + *b_scale));
    const auto* a = args[0].data<int128>();
    const auto* b = args[1].data<int128>();
    auto* to = out.mutable_data<int128>();
    bool fine = false;
    if (args[0].constant)
      fine =
          fits_int64(a[0]) && multiply_column(b, static_cast<std::int64_t>(a[0]), context.rows, to);
    else if (args[1].constant)
      fine =
          fits_int64(b[0]) && multiply_column(a, static_cast<std::int64_t>(b[0]), context.rows, to);
    else
      fine = multiply_columns(a, b, context.rows, to);
    if (fine)
      return out;
  }
  return numeric_rows<multiply_op>(context, args);
}

} // namespace

void register_numeric_arithmetic(function_catalog& catalog) {
  constexpr auto kind = type_kind::numeric;
  const auto add_binary = [&catalog](const char* name, kernel run) {
    catalog.add(make_function(name, {kind, kind}, kind, run, true));
  };
  add_binary("+", add_numeric<add_op>);
  add_binary("-", add_numeric<subtract_op>);
  add_binary("*", multiply_numeric);
  add_binary("/", numeric_rows<divide_op>);
  add_binary("%", numeric_rows<modulo_op>);
  add_binary("mod", numeric_rows<modulo_op>);
  catalog.add(make_function("-", {kind}, kind, numeric_rows_unary<negate_op>, false));
  catalog.add(make_function("+", {kind}, kind, same_value, false));
}

} // namespace ebb
