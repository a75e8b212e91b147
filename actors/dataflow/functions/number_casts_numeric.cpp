#include "actors/dataflow/functions/number_casts.hpp"
#include "actors/dataflow/functions/numeric_kernel.hpp"

#include <charconv>
#include <cmath>
#include <limits>

namespace ebb {

namespace {

template <class Integer>
result<column> from_integer(const call_context& context, std::span<const column> args) {
  const auto& type = context.type;
  const auto rows = context.rows;
  const auto* from = args[0].data<Integer>();
  if (type.precision == 0) {
    column out = make_uniform(type, rows, 0);
    auto* to = out.mutable_data<int128>();
    for (std::uint32_t i = 0; i < rows; ++i)
      to[i] = from[i];
    return out;
  }
  column out = make_uniform(type, rows, std::max<std::int16_t>(0, type.scale));
  auto* to = out.mutable_data<int128>();
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (coerce_small(from[i], 0, type, to[i]))
      continue;
    to[i] = 0;
    if (!is_valid(context, i))
      continue;
    // A negative scale, or an error.
    const auto kept = coerce(numeric(big_integer(from[i]), 0), type);
    if (!kept)
      return at_row(kept.error(), i);
    EBB_TRY(kept->store(out, i));
  }
  return out;
}

template <class Float>
result<column> from_float(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  const auto* from = args[0].data<Float>();
  column out = make_numeric_column(context.type, rows);
  column one = make_numeric_column(sql_type{type_kind::numeric}, 1);
  const bool bounded = context.type.precision != 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!is_valid(context, i))
      continue;
    column& target = bounded ? one : out;
    const std::uint32_t k = bounded ? 0 : i;
    if constexpr (sizeof(Float) == 4)
      set_numeric_from_real(target, k, from[i]);
    else
      set_numeric_from_double(target, k, from[i]);
    if (!bounded)
      continue;
    one.heap.clear();
    if (const auto kept = coerce_numeric(out, i, one, 0); !kept)
      return at_row(kept.error(), i);
  }
  pack_scales(out);
  return out;
}

// NUMERIC to NUMERIC(precision, scale).
result<column> to_bounded(const call_context& context, std::span<const column> args) {
  if (context.type.precision == 0)
    return same_value(context, args);
  const auto rows = context.rows;
  const auto& x = args[0];
  column out = make_numeric_column(context.type, rows);
  if (const auto scale = uniform_scale(x); scale && !x.constant) {
    const auto* from = x.data<int128>();
    auto* to = out.mutable_data<int128>();
    bool fine = true;
    for (std::uint32_t i = 0; i < rows; ++i)
      fine &= coerce_small(from[i], *scale, context.type, to[i]);
    if (fine)
      return out;
  }
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!is_valid(context, i)) {
      set_numeric(out, i, 0, out.scale);
      continue;
    }
    if (const auto kept = coerce_numeric(out, i, x, i); !kept)
      return at_row(kept.error(), i);
  }
  return out;
}

error not_an_integer(const numeric& x, type_kind to) {
  return evaluation_error(std::string("cannot convert ") + (x.nan() ? "NaN" : "infinity") + " to "
                          + to_string(to));
}

// Rounds half away from zero.
template <class Integer>
result<column> to_integer(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  const auto& x = args[0];
  column out = make_column(context.type, rows);
  auto* to = out.mutable_data<Integer>();
  for (std::uint32_t i = 0; i < rows; ++i) {
    const auto value = small_at(x, i);
    int128 rounded = 0;
    if (value.scale >= 0) {
      rounded = value.scale == 0 ? value.value : scale_down_rounded(value.value, value.scale);
      to[i] = static_cast<Integer>(rounded);
      if (to[i] == rounded || !is_valid(context, i))
        continue;
      return at_row(out_of_range<Integer>(), i);
    }
    to[i] = 0;
    if (!is_valid(context, i))
      continue;
    const auto wide = numeric::load(x, i);
    if (!wide.finite())
      return at_row(not_an_integer(wide, context.type.kind), i);
    const auto whole = wide.rounded(0);
    if (whole.unscaled() < std::numeric_limits<Integer>::min()
        || whole.unscaled() > std::numeric_limits<Integer>::max())
      return at_row(out_of_range<Integer>(), i);
    to[i] = whole.unscaled().template convert_to<Integer>();
  }
  return out;
}

// Nearest float of a finite value, rounded once from the decimal digits.
float nearest_real(const column& x, std::uint32_t i) {
  // Up to 2^24 and 10^10 are exact floats.
  static constexpr float powers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F,
                                     1e6F, 1e7F, 1e8F, 1e9F, 1e10F};
  constexpr std::int32_t exact_max = 1 << 24;
  const auto value = small_at(x, i);
  if (value.scale >= 0 && value.scale <= 10 && value.value <= exact_max
      && value.value >= -exact_max)
    return static_cast<float>(static_cast<std::int32_t>(value.value)) / powers[value.scale];
  std::string text;
  append_numeric(x, i, text);
  float nearest = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), nearest);
  if (parsed.ec == std::errc::result_out_of_range)
    nearest = std::fabs(numeric_to_double(x, i)) > 1 ? std::numeric_limits<float>::infinity() : 0;
  return nearest;
}

template <class Float>
result<column> to_float(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  const auto& x = args[0];
  column out = make_column(context.type, rows);
  auto* to = out.mutable_data<Float>();
  for (std::uint32_t i = 0; i < rows; ++i) {
    to[i] = 0;
    if (!is_valid(context, i))
      continue;
    const auto value = small_at(x, i);
    const bool special = value.scale < 0 && value.scale != numeric_tag::big;
    if (sizeof(Float) == 8 || special)
      to[i] = static_cast<Float>(numeric_to_double(x, i));
    else
      to[i] = static_cast<Float>(nearest_real(x, i));
    const bool zero =
        to[i] == 0 && !special && (value.scale == numeric_tag::big || value.value != 0);
    if (zero || (std::isinf(to[i]) && !special)) {
      std::string text;
      append_numeric(x, i, text);
      return at_row(evaluation_error('"' + text + "\" is out of range for type "
                                     + to_string(context.type.kind)),
                    i);
    }
  }
  return out;
}

} // namespace

void register_numeric_casts(function_catalog& catalog) {
  constexpr auto numeric_kind = type_kind::numeric;
  const auto into = [&catalog](type_kind from, cast_context context, kernel run) {
    add_cast(catalog, from, numeric_kind, context, run, true);
  };
  into(type_kind::smallint, cast_context::implicit, from_integer<std::int16_t>);
  into(type_kind::integer, cast_context::implicit, from_integer<std::int32_t>);
  into(type_kind::bigint, cast_context::implicit, from_integer<std::int64_t>);
  into(type_kind::real, cast_context::assignment, from_float<float>);
  into(type_kind::double_precision, cast_context::assignment, from_float<double>);
  into(numeric_kind, cast_context::implicit, to_bounded);
  const auto out_of = [&catalog](type_kind to, cast_context context, kernel run) {
    add_cast(catalog, numeric_kind, to, context, run, true);
  };
  out_of(type_kind::smallint, cast_context::assignment, to_integer<std::int16_t>);
  out_of(type_kind::integer, cast_context::assignment, to_integer<std::int32_t>);
  out_of(type_kind::bigint, cast_context::assignment, to_integer<std::int64_t>);
  out_of(type_kind::real, cast_context::implicit, to_float<float>);
  out_of(type_kind::double_precision, cast_context::implicit, to_float<double>);
}

} // namespace ebb
