// to_char() of numbers.

#include "actors/dataflow/functions/number_binding.hpp"
#include "actors/dataflow/functions/number_writer.hpp"
#include "actors/dataflow/functions/time_kernel.hpp"
#include "actors/dataflow/numeric.hpp"

#include <array>
#include <cmath>
#include <limits>

namespace ebb::time_kernel {

namespace {

namespace np = number_pattern;

np::digits roman_digits(std::int64_t value) {
  return {np::roman(value), 0, '+'};
}

/// A decimal text: of NUMERIC.
result<void> put_decimal(const np::pattern& how, const std::string& text, std::string& out) {
  const auto& shape = how.shape;
  const auto special = text.find_first_of("Nn") != std::string::npos;
  if (shape.has_roman) {
    if (special)
      return make_error(ec::evaluation, text == "NaN" ? "cannot convert NaN to integer"
                                                      : "cannot convert infinity to integer");
    const auto whole = np::rounded(text, 0);
    const auto value = std::strtoll(whole.c_str(), nullptr, 10);
    if (whole.size() > 11 || value > INT32_MAX || value < INT32_MIN)
      return make_error(ec::evaluation, "integer out of range");
    return np::write(how.nodes, shape, roman_digits(value), out);
  }
  if (shape.has_exponent) {
    out += special ? np::no_scientific(shape) : np::scientific(text, shape.behind);
    return {};
  }
  const auto moved = shape.has_shift ? np::shifted(text, shape.shifted) : text;
  return np::write(how.nodes, shape, np::fit(np::rounded(moved, shape.behind), shape), out);
}

template <class Int>
result<void> put_integer(const np::pattern& how, Int value, std::string& out) {
  const auto& shape = how.shape;
  constexpr auto is_small = sizeof(Int) == 4;
  if (shape.has_roman) {
    if (value > INT32_MAX || value < INT32_MIN)
      return make_error(ec::evaluation, "integer out of range");
    return np::write(how.nodes, shape, roman_digits(value), out);
  }
  if (shape.has_exponent) {
    if (!is_small)
      return put_decimal(how, std::to_string(value), out);
    std::array<char, 512> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%+.*e", std::min(shape.behind, 400),
                  static_cast<double>(value));
    if (buffer[0] == '+')
      buffer[0] = ' ';
    out += buffer.data();
    return {};
  }
  for (int i = 0; i < shape.shifted; ++i)
    if (__builtin_mul_overflow(value, Int{10}, &value))
      return make_error(ec::evaluation, is_small ? "integer out of range" : "bigint out of range");
  auto text = std::to_string(value);
  if (shape.behind > 0) {
    text += '.';
    text.append(static_cast<std::size_t>(shape.behind), '0');
  }
  return np::write(how.nodes, shape, np::fit(text, shape), out);
}

std::string fixed(double value, int places) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value < 0 ? "-Infinity" : "Infinity";
  std::array<char, 400> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", places, value);
  return buffer.data();
}

/// `precise` is how many decimal digits the type holds for sure.
result<void> put_float(const np::pattern& how, double value, int precise, std::string& out) {
  auto shape = how.shape;
  if (shape.has_roman) {
    const auto whole = std::rint(value);
    return np::write(how.nodes, shape,
                     roman_digits(whole >= 1 && whole < 4'000 ? std::lrint(whole) : 0), out);
  }
  if (shape.has_exponent) {
    if (!std::isfinite(value)) {
      out += np::no_scientific(shape);
      return {};
    }
    std::array<char, 512> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%+.*e", std::min(shape.behind, 400), value);
    if (buffer[0] == '+')
      buffer[0] = ' ';
    out += buffer.data();
    return {};
  }
  if (shape.has_shift) {
    value *= std::pow(10.0, shape.shifted);
    if (precise < 15)
      value = static_cast<double>(static_cast<float>(value));
  }
  const auto before = static_cast<int>(fixed(std::abs(value), 0).size());
  if (before >= precise)
    shape.behind = 0;
  else if (before + shape.behind > precise)
    shape.behind = precise - before;
  return np::write(how.nodes, shape, np::fit(fixed(value, shape.behind), shape), out);
}

/// Rows with their pattern: the bound one, or the row's own.
template <class Put>
result<column> each_text(const call_context& context, std::span<const column> args, Put put) {
  const texts pattern(args[1]);
  text_builder out(context.type, context.rows);
  std::string text;
  row_patterns patterns(context);
  for (std::uint32_t i = 0; i < context.rows; ++i) {
    if (skipped(context, i)) {
      out.append_null();
      continue;
    }
    const auto how = patterns.of(pattern[i]);
    auto done = how ? result<void>{} : result<void>(how.error());
    text.clear();
    if (done && !(*how)->is_empty)
      done = put(**how, i, text);
    if (!done) {
      done.error().row = i;
      return std::move(done).error();
    }
    out.append(text);
  }
  return out.take();
}

result<column> format_numeric(const call_context& context, std::span<const column> args) {
  std::string decimal;
  return each_text(context, args, [&](const np::pattern& how, std::uint32_t i, std::string& out) {
    decimal.clear();
    append_numeric(args[0], args[0].at(i), decimal);
    return put_decimal(how, decimal, out);
  });
}

template <class Int>
result<column> format_integer(const call_context& context, std::span<const column> args) {
  const values<Int> x(args[0]);
  return each_text(context, args, [&](const np::pattern& how, std::uint32_t i, std::string& out) {
    return put_integer(how, x[i], out);
  });
}

template <class Float>
result<column> format_float(const call_context& context, std::span<const column> args) {
  const values<Float> x(args[0]);
  return each_text(context, args, [&](const np::pattern& how, std::uint32_t i, std::string& out) {
    return put_float(how, x[i], std::numeric_limits<Float>::digits10, out);
  });
}

} // namespace

void register_number_format(function_catalog& catalog) {
  using enum type_kind;
  const auto add_format = [&](type_kind kind, kernel run) {
    add(catalog, {"to_char", {kind, text}, text, run, true, bind_numbers});
  };
  add_format(integer, format_integer<std::int32_t>);
  add_format(bigint, format_integer<std::int64_t>);
  add_format(numeric, format_numeric);
  add_format(real, format_float<float>);
  add_format(double_precision, format_float<double>);
  register_number_parse(catalog);
}

} // namespace ebb::time_kernel
