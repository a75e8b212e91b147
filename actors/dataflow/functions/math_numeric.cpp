/// Functions of NUMERIC that need arbitrary precision, and those of its scale.
#include "actors/dataflow/functions/math.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"
#include "actors/dataflow/numeric_math.hpp"

namespace ebb {

namespace {

template <result<numeric> (*F)(const numeric&)>
struct unary_op {
  static bool small(const small_numeric&, small_numeric&) noexcept {
    return false;
  }

  static result<numeric> wide(const numeric& x) {
    return F(x);
  }
};

template <result<numeric> (*F)(const numeric&, const numeric&)>
struct binary_op {
  static bool small(const small_numeric&, const small_numeric&, small_numeric&) noexcept {
    return false;
  }

  static result<numeric> wide(const numeric& a, const numeric& b) {
    return F(a, b);
  }
};

result<numeric> decimal_logarithm(const numeric& x) {
  return logarithm(numeric(10, 0), x);
}

result<numeric> gcd_of(const numeric& a, const numeric& b) {
  return greatest_common_divisor(a, b);
}

result<numeric> lcm_of(const numeric& a, const numeric& b) {
  return least_common_multiple(a, b);
}

result<numeric> trimmed(const numeric& x) {
  return x.rounded(least_scale(x));
}

// scale(x) and min_scale(x); NULL for NaN and infinities.
template <bool Least>
result<column> scale_rows(const call_context& context, std::span<const column> args) {
  column out = make_column(context.type, context.rows);
  auto* to = out.mutable_data<std::int32_t>();
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    to[i] = 0;
    if (!is_valid(context, i))
      continue;
    const auto scale = small_at(args[0], i).scale;
    if (scale >= 0 && !Least) {
      to[i] = scale;
      continue;
    }
    const auto x = numeric::load(args[0], i);
    if (x.finite())
      to[i] = Least ? least_scale(x) : x.scale();
    else
      set_null(out, i);
  }
  return out;
}

} // namespace

void register_numeric_math(function_catalog& catalog) {
  constexpr auto kind = type_kind::numeric;
  const auto unary = [&catalog](const char* name, kernel run) {
    catalog.add(make_function(name, {kind}, kind, run, true));
  };
  const auto binary = [&catalog](const char* name, kernel run) {
    catalog.add(make_function(name, {kind, kind}, kind, run, true));
  };
  unary("sqrt", numeric_rows_unary<unary_op<square_root>>);
  unary("exp", numeric_rows_unary<unary_op<exponential>>);
  unary("ln", numeric_rows_unary<unary_op<natural_logarithm>>);
  unary("log", numeric_rows_unary<unary_op<decimal_logarithm>>);
  unary("log10", numeric_rows_unary<unary_op<decimal_logarithm>>);
  unary("trim_scale", numeric_rows_unary<unary_op<trimmed>>);
  binary("log", numeric_rows<binary_op<logarithm>>);
  for (const char* name : {"power", "pow", "^"})
    binary(name, numeric_rows<binary_op<power>>);
  binary("div", numeric_rows<binary_op<divide_truncated>>);
  binary("gcd", numeric_rows<binary_op<gcd_of>>);
  binary("lcm", numeric_rows<binary_op<lcm_of>>);
  catalog.add(make_function("scale", {kind}, type_kind::integer, scale_rows<false>, false));
  catalog.add(make_function("min_scale", {kind}, type_kind::integer, scale_rows<true>, false));
}

} // namespace ebb
