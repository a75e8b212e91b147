#include "actors/dataflow/functions/arithmetic.hpp"
#include "actors/dataflow/functions/number_kernel.hpp"

#include <type_traits>

namespace ebb {

namespace {

template <class T>
struct and_op {
  static T apply(T a, T b) noexcept {
    return static_cast<T>(a & b);
  }
};

template <class T>
struct or_op {
  static T apply(T a, T b) noexcept {
    return static_cast<T>(a | b);
  }
};

template <class T>
struct xor_op {
  static T apply(T a, T b) noexcept {
    return static_cast<T>(a ^ b);
  }
};

template <class T>
struct not_op {
  static T apply(T a) noexcept {
    return static_cast<T>(~a);
  }
};

// Shifts use the low bits of the count, as the processor does and PostgreSQL shows; SMALLINT is
// shifted as INTEGER.
template <class T>
using shifted = std::conditional_t<sizeof(T) == 8, std::int64_t, std::int32_t>;

template <class T>
constexpr unsigned shift_of(std::int32_t count) noexcept {
  return static_cast<unsigned>(count) & (sizeof(shifted<T>) * 8 - 1);
}

template <class T>
struct left_op {
  static T apply(T a, std::int32_t count) noexcept {
    using bits = std::make_unsigned_t<shifted<T>>;
    return static_cast<T>(static_cast<bits>(a) << shift_of<T>(count));
  }
};

template <class T>
struct right_op {
  static T apply(T a, std::int32_t count) noexcept {
    return static_cast<T>(static_cast<shifted<T>>(a) >> shift_of<T>(count));
  }
};

template <class T>
void add_bits(function_catalog& catalog) {
  constexpr auto kind = kind_of<T>;
  const auto add = [&catalog](const char* name, type_kind right, kernel run) {
    catalog.add(make_function(name, {kind, right}, kind, run, false));
  };
  add("&", kind, plain_binary<and_op<T>, T, T, T>);
  add("|", kind, plain_binary<or_op<T>, T, T, T>);
  add("#", kind, plain_binary<xor_op<T>, T, T, T>);
  add("<<", type_kind::integer, plain_binary<left_op<T>, T, std::int32_t, T>);
  add(">>", type_kind::integer, plain_binary<right_op<T>, T, std::int32_t, T>);
  add_plain_unary<not_op<T>, T, T>(catalog, "~");
}

} // namespace

void register_bit_operators(function_catalog& catalog) {
  add_bits<std::int16_t>(catalog);
  add_bits<std::int32_t>(catalog);
  add_bits<std::int64_t>(catalog);
}

} // namespace ebb
