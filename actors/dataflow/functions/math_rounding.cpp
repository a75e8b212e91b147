/// abs, sign, round, trunc, ceil and floor of NUMERIC.
#include "actors/dataflow/functions/math.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"

namespace ebb {

namespace {

struct abs_op {
  static bool small(const small_numeric& x, small_numeric& r) noexcept {
    r = {x.value < 0 ? -x.value : x.value, x.scale};
    return true;
  }

  static result<numeric> wide(const numeric& x) {
    return x.sign() < 0 ? subtract(numeric(), x) : x;
  }
};

struct sign_op {
  static bool small(const small_numeric& x, small_numeric& r) noexcept {
    r = {x.value > 0 ? 1 : x.value < 0 ? -1 : 0, 0};
    return true;
  }

  static result<numeric> wide(const numeric& x) {
    return x.nan() ? x : numeric(x.sign(), 0);
  }
};

int128 cut(int128 x, int places) noexcept {
  return places > power_of_ten_max ? 0 : x / powers_of_ten[static_cast<std::size_t>(places)];
}

// Towards the sign's side: 1 up, −1 down.
template <int Side>
struct toward_op {
  static bool small(const small_numeric& x, small_numeric& r) noexcept {
    const int128 whole = cut(x.value, x.scale);
    int128 back = 0;
    const bool exact = scale_up(whole, x.scale, back) && back == x.value;
    r = {!exact && (x.value > 0) == (Side > 0) ? whole + Side : whole, 0};
    return true;
  }

  static result<numeric> wide(const numeric& x) {
    if (!x.finite())
      return x;
    const auto whole = x.truncated(0);
    const bool step = compare(whole, x) != 0 && (x.sign() > 0) == (Side > 0);
    return step ? add(whole, numeric(Side, 0)) : whole;
  }
};

struct round_rule {
  static int128 down(int128 x, int places) noexcept {
    return scale_down_rounded(x, places);
  }

  static numeric wide(const numeric& x, int scale) {
    return x.rounded(scale);
  }
};

struct trunc_rule {
  static int128 down(int128 x, int places) noexcept {
    return cut(x, places);
  }

  static numeric wide(const numeric& x, int scale) {
    return x.truncated(scale);
  }
};

// PostgreSQL's bounds of the scale argument.
constexpr std::int32_t scale_max = 2000;

template <class Rule>
bool small_cut(const small_numeric& x, std::int32_t scale, small_numeric& r) noexcept {
  r.scale = static_cast<std::int16_t>(scale);
  if (scale >= x.scale)
    return scale_up(x.value, scale - x.scale, r.value);
  if (scale < 0)
    return false;
  r.value = Rule::down(x.value, x.scale - scale);
  return true;
}

// round(x, n) and trunc(x, n); without n, to whole numbers.
template <class Rule>
result<column> cut_rows(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  const auto& x = args[0];
  const bool whole = args.size() == 1;
  const auto scale_at = [&](std::uint32_t i) {
    return whole ? 0
                 : std::clamp(args[1].data<std::int32_t>()[args[1].at(i)], -scale_max, scale_max);
  };
  const auto from_scale = uniform_scale(x);
  if (from_scale && !x.constant && (whole || args[1].constant) && rows != 0) {
    const auto scale = scale_at(0);
    const auto* from = x.data<int128>();
    column out = make_uniform(context.type, rows, static_cast<std::int16_t>(std::max(0, scale)));
    auto* to = out.mutable_data<int128>();
    bool fine = true;
    for (std::uint32_t i = 0; i < rows; ++i) {
      small_numeric r;
      fine &= small_cut<Rule>({from[i], *from_scale}, scale, r);
      to[i] = r.value;
    }
    if (fine)
      return out;
  }
  column out = make_numeric_column(context.type, rows);
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!is_valid(context, i))
      continue;
    const auto value = small_at(x, i);
    const auto scale = scale_at(i);
    small_numeric r;
    if (value.scale >= 0 && small_cut<Rule>(value, scale, r)) {
      set_numeric(out, i, r.value, r.scale);
      continue;
    }
    if (const auto stored = Rule::wide(numeric::load(x, i), scale).store(out, i); !stored)
      return at_row(stored.error(), i);
  }
  pack_scales(out);
  return out;
}

} // namespace

void register_numeric_rounding(function_catalog& catalog) {
  constexpr auto kind = type_kind::numeric;
  const auto unary = [&catalog](const char* name, kernel run) {
    catalog.add(make_function(name, {kind}, kind, run, false));
  };
  unary("abs", numeric_rows_unary<abs_op>);
  unary("@", numeric_rows_unary<abs_op>);
  unary("sign", numeric_rows_unary<sign_op>);
  unary("ceil", numeric_rows_unary<toward_op<1>>);
  unary("ceiling", numeric_rows_unary<toward_op<1>>);
  unary("floor", numeric_rows_unary<toward_op<-1>>);
  unary("round", cut_rows<round_rule>);
  unary("trunc", cut_rows<trunc_rule>);
  const auto with_scale = [&catalog](const char* name, kernel run) {
    catalog.add(make_function(name, {kind, type_kind::integer}, kind, run, true));
  };
  with_scale("round", cut_rows<round_rule>);
  with_scale("trunc", cut_rows<trunc_rule>);
}

} // namespace ebb
