/// Division with PostgreSQL's choice of scale: the first base-10,000 digit of each operand decides.
#include "actors/dataflow/numeric_divide.hpp"

#include "actors/dataflow/numeric_value.hpp"

#include <algorithm>

namespace ebb {

namespace {

struct leading_digit {
  int weight = 0;
  int digit = 0;
};

leading_digit leading_of(int128 x, int scale) noexcept {
  if (x == 0)
    return {};
  const uint128 size = magnitude(x);
  const int exponent = count_digits(size) - 1 - scale;
  const int weight = exponent >> 2; // rounds down, also below zero
  const int shift = scale + 4 * weight;
  const auto digit =
      shift >= 0 ? size / static_cast<uint128>(powers_of_ten[static_cast<std::size_t>(shift)])
                 : size * static_cast<uint128>(powers_of_ten[static_cast<std::size_t>(-shift)]);
  return {weight, static_cast<int>(digit)};
}

} // namespace

bool divide_small(int128 a, int a_scale, int128 b, int b_scale, int128& quotient,
                  int& scale) noexcept {
  const auto from = leading_of(a, a_scale);
  const auto by = leading_of(b, b_scale);
  const int weight = from.weight - by.weight - (from.digit <= by.digit ? 1 : 0);
  scale = std::min(std::max({16 - 4 * weight, a_scale, b_scale, 0}), 1000);
  const int shift = scale + b_scale - a_scale; // < 0 only where the scale was capped
  int128 numerator = 0;
  if (shift < 0 || !scale_up(a, shift, numerator))
    return false;
  const uint128 top = magnitude(numerator);
  const uint128 bottom = magnitude(b);
  uint128 whole = top <= UINT64_MAX && bottom <= UINT64_MAX
                      ? static_cast<std::uint64_t>(top) / static_cast<std::uint64_t>(bottom)
                      : top / bottom;
  const uint128 rest = top - whole * bottom;
  if (rest >= bottom - rest)
    ++whole;
  quotient = static_cast<int128>(whole);
  if ((a < 0) != (b < 0))
    quotient = -quotient;
  return true;
}

result<void> divide_numeric(column& x, std::uint32_t i, const column& a, std::uint32_t k,
                            const column& b, std::uint32_t j) {
  const auto a_scale = a.scale_of(k);
  const auto b_scale = b.scale_of(j);
  if (a_scale >= 0 && b_scale >= 0) {
    const int128 by = b.data<int128>()[b.at(j)];
    int128 quotient = 0;
    int scale = 0;
    if (by != 0 && divide_small(a.data<int128>()[a.at(k)], a_scale, by, b_scale, quotient, scale)) {
      set_numeric(x, i, quotient, static_cast<std::int16_t>(scale));
      return {};
    }
  }
  EBB_ASSIGN(const auto quotient, divide(numeric::load(a, k), numeric::load(b, j)));
  return quotient.store(x, i);
}

} // namespace ebb
