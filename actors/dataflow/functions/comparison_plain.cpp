#include "actors/dataflow/functions/comparison.hpp"

#include <type_traits>

namespace ebb {

namespace {

template <class A, class B>
struct plain_family {
  using wider = std::conditional_t<(sizeof(A) > sizeof(B)), A, B>;

  template <class Relation>
  struct op {
    static std::uint8_t apply(wider a, wider b) noexcept {
      return Relation::of(a, b) ? 1 : 0;
    }
  };

  template <class Relation>
  static result<column> run(const call_context& context, std::span<const column> args) {
    return plain_binary<op<Relation>, A, B, std::uint8_t>(context, args);
  }
};

template <class A, class B>
void add_numbers(function_catalog& catalog) {
  add_comparisons<plain_family<A, B>>(catalog, sql_type{kind_of<A>}, sql_type{kind_of<B>});
}

} // namespace

void register_plain_comparison(function_catalog& catalog) {
  using i16 = std::int16_t;
  using i32 = std::int32_t;
  using i64 = std::int64_t;
  add_numbers<i32, i32>(catalog);
  add_numbers<i64, i64>(catalog);
  add_numbers<i16, i16>(catalog);
  add_numbers<i64, i32>(catalog);
  add_numbers<i32, i64>(catalog);
  add_numbers<i16, i32>(catalog);
  add_numbers<i32, i16>(catalog);
  add_numbers<i16, i64>(catalog);
  add_numbers<i64, i16>(catalog);
  add_numbers<double, double>(catalog);
  add_numbers<float, float>(catalog);
  add_numbers<float, double>(catalog);
  add_numbers<double, float>(catalog);
  const auto add_same = [&catalog]<class T>(type_kind left, type_kind right, T) {
    add_comparisons<plain_family<T, T>>(catalog, sql_type{left}, sql_type{right});
  };
  add_same(type_kind::boolean, type_kind::boolean, std::uint8_t{});
  add_same(type_kind::date, type_kind::date, i32{});
  // The time zone is UTC, so both kinds of timestamp count the same microseconds.
  add_same(type_kind::timestamp, type_kind::timestamp, i64{});
  add_same(type_kind::timestamptz, type_kind::timestamptz, i64{});
  add_same(type_kind::timestamp, type_kind::timestamptz, i64{});
  add_same(type_kind::timestamptz, type_kind::timestamp, i64{});
}

} // namespace ebb
