#include "actors/dataflow/functions/math.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"

#include <limits>
#include <numeric>
#include <type_traits>

namespace ebb {

namespace {

struct bool_flags {
  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }
};

template <class T>
std::make_unsigned_t<T> size_of(T x) noexcept {
  using bits = std::make_unsigned_t<T>;
  return static_cast<bits>(x < 0 ? bits{0} - static_cast<bits>(x) : static_cast<bits>(x));
}

template <class T>
struct abs_op : bool_flags {
  static unsigned apply(T x, T& r) noexcept {
    r = static_cast<T>(size_of(x));
    return r < 0 ? 1U : 0U;
  }

  static error failure(T) {
    return out_of_range<T>();
  }
};

template <class T>
struct gcd_op : bool_flags {
  static unsigned apply(T a, T b, T& r) noexcept {
    r = static_cast<T>(std::gcd(size_of(a), size_of(b)));
    return r < 0 ? 1U : 0U;
  }

  static error failure(T, T) {
    return out_of_range<T>();
  }
};

template <class T>
struct lcm_op : bool_flags {
  static unsigned apply(T a, T b, T& r) noexcept {
    r = 0;
    if (a == 0 || b == 0)
      return 0;
    const auto x = size_of(a);
    const auto y = size_of(b);
    std::make_unsigned_t<T> multiple = 0;
    const bool bad =
        __builtin_mul_overflow(x / std::gcd(x, y), y, &multiple)
        || multiple > static_cast<std::make_unsigned_t<T>>(std::numeric_limits<T>::max());
    r = static_cast<T>(multiple);
    return bad ? 1U : 0U;
  }

  static error failure(T, T) {
    return out_of_range<T>();
  }
};

result<column> factorial(const call_context& context, std::span<const column> args) {
  constexpr std::int64_t argument_max = 32'177; // the last with a result PostgreSQL can hold
  column out = make_numeric_column(context.type, context.rows);
  const auto* from = args[0].data<std::int64_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (!is_valid(context, i))
      continue;
    if (from[i] < 0)
      return at_row(evaluation_error("factorial of a negative number is undefined"), i);
    if (from[i] > argument_max)
      return at_row(evaluation_error("value overflows numeric format"), i);
    big_integer product = 1;
    for (std::int64_t k = 2; k <= from[i]; ++k)
      product *= k;
    if (const auto stored = numeric(std::move(product), 0).store(out, i); !stored)
      return at_row(stored.error(), i);
  }
  pack_scales(out);
  return out;
}

template <class T>
void add_abs(function_catalog& catalog) {
  add_checked_unary<abs_op<T>, T, T>(catalog, "abs");
  add_checked_unary<abs_op<T>, T, T>(catalog, "@");
}

} // namespace

void register_integer_math(function_catalog& catalog) {
  add_abs<std::int16_t>(catalog);
  add_abs<std::int32_t>(catalog);
  add_abs<std::int64_t>(catalog);
  add_checked_binary<gcd_op<std::int32_t>, std::int32_t, std::int32_t, std::int32_t>(catalog,
                                                                                     "gcd");
  add_checked_binary<gcd_op<std::int64_t>, std::int64_t, std::int64_t, std::int64_t>(catalog,
                                                                                     "gcd");
  add_checked_binary<lcm_op<std::int32_t>, std::int32_t, std::int32_t, std::int32_t>(catalog,
                                                                                     "lcm");
  add_checked_binary<lcm_op<std::int64_t>, std::int64_t, std::int64_t, std::int64_t>(catalog,
                                                                                     "lcm");
  catalog.add(make_function("factorial", {type_kind::bigint}, type_kind::numeric, factorial, true));
}

} // namespace ebb
