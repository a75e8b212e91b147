/// Loops over NUMERIC columns. Internal to the functions on numbers.
#pragma once

#include "actors/dataflow/functions/number_kernel.hpp"
#include "actors/dataflow/numeric.hpp"
#include "actors/dataflow/numeric_small.hpp"
#include "actors/dataflow/numeric_value.hpp"

#include <algorithm>
#include <optional>

namespace ebb {

/// The scale that all values of a column have, if there is one (NULL rows count; none is special
/// or big).
[[nodiscard]] inline std::optional<std::int16_t> uniform_scale(const column& x) noexcept {
  if (!x.scales)
    return x.scale;
  const auto* scales = x.scales.as<const std::int16_t>();
  const std::uint32_t rows = x.constant ? 1 : x.rows;
  std::int16_t differ = 0;
  for (std::uint32_t i = 1; i < rows; ++i)
    differ = static_cast<std::int16_t>(differ | (scales[i] ^ scales[0]));
  if (rows == 0 || differ != 0 || scales[0] < 0)
    return std::nullopt;
  return scales[0];
}

/// A NUMERIC result of one scale for all rows, uninitialised.
[[nodiscard]] inline column make_uniform(const sql_type& type, std::uint32_t rows,
                                         std::int16_t scale) {
  column out = make_column(type, rows);
  out.scale = scale;
  return out;
}

/// One 128-bit value with its scale, or a tag of numeric_tag in place of the scale.
struct small_numeric {
  int128 value = 0;
  std::int16_t scale = 0;
};

[[nodiscard]] inline small_numeric small_at(const column& x, std::uint32_t i) noexcept {
  const auto k = x.at(i);
  return {x.data<int128>()[k], x.scales ? x.scales.as<const std::int16_t>()[k] : x.scale};
}

/// Operands of tight loops: a column, a column times a power of ten, a constant. `read` is false
/// for a value that does not fit.
struct plain_operand {
  const int128* values;

  bool read(std::uint32_t i, int128& x) const noexcept {
    x = values[i];
    return true;
  }
};

struct scaled_operand {
  const int128* values;
  std::int64_t factor;

  bool read(std::uint32_t i, int128& x) const noexcept {
    x = static_cast<int128>(static_cast<std::int64_t>(values[i])) * factor;
    return fits_int64(values[i]);
  }
};

struct constant_operand {
  int128 value;

  bool read(std::uint32_t, int128& x) const noexcept {
    x = value;
    return true;
  }
};

/// Calls f with a uniform column as an operand whose values are multiplied by 10^places; false
/// where that does not fit (or f says so).
template <class F>
bool with_operand(const column& x, int places, F f) {
  constexpr int places_max = 18; // 10^18 < 2^63
  const int128* values = x.data<int128>();
  if (x.constant) {
    int128 value = 0;
    return scale_up(values[0], places, value) && f(constant_operand{value});
  }
  if (places == 0)
    return f(plain_operand{values});
  if (places > places_max)
    return false;
  return f(scaled_operand{
      values, static_cast<std::int64_t>(powers_of_ten[static_cast<std::size_t>(places)])});
}

/// r = f(a, b) row by row. Op::small(a, b, r) does it in 128 bits or says false; then Op::wide(a,
/// b) does it on `numeric`s and may fail.
template <class Op>
result<column> numeric_rows(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_numeric_column(context.type, rows);
  std::int16_t last_scale = 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!is_valid(context, i)) {
      set_numeric(out, i, 0, last_scale); // the common scale, so that packing succeeds
      continue;
    }
    const auto a = small_at(args[0], i);
    const auto b = small_at(args[1], i);
    small_numeric r;
    if (a.scale >= 0 && b.scale >= 0 && Op::small(a, b, r)) {
      set_numeric(out, i, r.value, r.scale);
      last_scale = r.scale;
      continue;
    }
    const result<numeric> found = Op::wide(numeric::load(args[0], i), numeric::load(args[1], i));
    if (!found)
      return at_row(found.error(), i);
    if (const auto stored = found->store(out, i); !stored)
      return at_row(stored.error(), i);
  }
  pack_scales(out);
  return out;
}

/// r = f(a) row by row, the same way.
template <class Op>
result<column> numeric_rows_unary(const call_context& context, std::span<const column> args) {
  const auto rows = context.rows;
  column out = make_numeric_column(context.type, rows);
  std::int16_t last_scale = 0;
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (!is_valid(context, i)) {
      set_numeric(out, i, 0, last_scale);
      continue;
    }
    const auto a = small_at(args[0], i);
    small_numeric r;
    if (a.scale >= 0 && Op::small(a, r)) {
      set_numeric(out, i, r.value, r.scale);
      last_scale = r.scale;
      continue;
    }
    const result<numeric> found = Op::wide(numeric::load(args[0], i));
    if (!found)
      return at_row(found.error(), i);
    if (const auto stored = found->store(out, i); !stored)
      return at_row(stored.error(), i);
  }
  pack_scales(out);
  return out;
}

} // namespace ebb
