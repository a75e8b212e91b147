#include "actors/dataflow/functions/arithmetic.hpp"
#include "actors/dataflow/functions/number_kernel.hpp"

#include <limits>
#include <type_traits>

namespace ebb {

namespace {

// Flags of + and −: the sign bit tells. R is the wider operand's type, which the result has.
template <class R>
struct sign_flags {
  static bool failed(R flags) noexcept {
    return flags < 0;
  }

  static error failure(R, R) {
    return out_of_range<R>();
  }
};

template <class R>
struct add_op : sign_flags<R> {
  static R apply(R a, R b, R& r) noexcept {
    using bits = std::make_unsigned_t<R>;
    r = static_cast<R>(static_cast<bits>(static_cast<bits>(a) + static_cast<bits>(b)));
    return static_cast<R>((a ^ r) & (b ^ r));
  }
};

template <class R>
struct subtract_op : sign_flags<R> {
  static R apply(R a, R b, R& r) noexcept {
    using bits = std::make_unsigned_t<R>;
    r = static_cast<R>(static_cast<bits>(static_cast<bits>(a) - static_cast<bits>(b)));
    return static_cast<R>((a ^ b) & (a ^ r));
  }
};

template <class R>
struct bool_flags {
  static bool failed(unsigned flags) noexcept {
    return flags != 0;
  }
};

template <class R>
struct multiply_op : bool_flags<R> {
  static unsigned apply(R a, R b, R& r) noexcept {
    if constexpr (sizeof(R) == 8) {
      std::int64_t product = 0;
      const bool bad = __builtin_mul_overflow(a, b, &product);
      r = product;
      return bad ? 1U : 0U;
    } else {
      const std::int64_t product = static_cast<std::int64_t>(a) * b;
      r = static_cast<R>(product);
      return product != r ? 1U : 0U;
    }
  }

  static error failure(R, R) {
    return out_of_range<R>();
  }
};

template <class R>
struct divide_op : bool_flags<R> {
  static unsigned apply(R a, R b, R& r) noexcept {
    const bool bad = b == 0 || (b == -1 && a == std::numeric_limits<R>::min());
    r = static_cast<R>(a / (bad ? R{1} : b));
    return bad ? 1U : 0U;
  }

  static error failure(R, R b) {
    return b == 0 ? evaluation_error("division by zero") : out_of_range<R>();
  }
};

template <class R>
struct modulo_op : bool_flags<R> {
  static unsigned apply(R a, R b, R& r) noexcept {
    // The lowest value % −1 is 0, where the processor's division would trap.
    r = static_cast<R>(a % (b == 0 || b == -1 ? R{1} : b));
    return b == 0 ? 1U : 0U;
  }

  static error failure(R, R) {
    return evaluation_error("division by zero");
  }
};

template <class R>
struct negate_op : bool_flags<R> {
  static unsigned apply(R a, R& r) noexcept {
    using bits = std::make_unsigned_t<R>;
    r = static_cast<R>(static_cast<bits>(bits{0} - static_cast<bits>(a)));
    return a == std::numeric_limits<R>::min() ? 1U : 0U;
  }

  static error failure(R) {
    return out_of_range<R>();
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
  add_checked_binary<modulo_op<T>, T, T, T>(catalog, "%");
  add_checked_binary<modulo_op<T>, T, T, T>(catalog, "mod");
  add_checked_unary<negate_op<T>, T, T>(catalog, "-");
  catalog.add(make_function("+", {kind_of<T>}, kind_of<T>, same_value, false));
}

} // namespace

void register_integer_arithmetic(function_catalog& catalog) {
  add_pair<std::int32_t, std::int32_t>(catalog);
  add_pair<std::int64_t, std::int64_t>(catalog);
  add_pair<std::int16_t, std::int16_t>(catalog);
  add_pair<std::int64_t, std::int32_t>(catalog);
  add_pair<std::int32_t, std::int64_t>(catalog);
  add_pair<std::int16_t, std::int32_t>(catalog);
  add_pair<std::int32_t, std::int16_t>(catalog);
  add_pair<std::int16_t, std::int64_t>(catalog);
  add_pair<std::int64_t, std::int16_t>(catalog);
  add_single<std::int16_t>(catalog);
  add_single<std::int32_t>(catalog);
  add_single<std::int64_t>(catalog);
}

} // namespace ebb
