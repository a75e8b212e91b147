#include "actors/dataflow/aggregates/numeric_sums.hpp"

namespace ebb {

namespace {

big_integer to_big(int128 x) {
  const auto bits = magnitude(x);
  big_integer big = static_cast<std::uint64_t>(bits >> 64);
  big <<= 64;
  big += static_cast<std::uint64_t>(bits);
  return x < 0 ? big_integer(-big) : big;
}

} // namespace

void numeric_sums::add_slow(std::uint32_t slot, int128 value, std::int16_t scale,
                            std::int64_t weight) {
  auto& s = sums_[slot];
  int128 scaled = value;
  int128 product;
  int128 sum = s.sum;
  const auto wider = std::max(s.scale, scale);
  if (!s.spilled && scale_up(sum, wider - s.scale, sum) && scale_up(scaled, wider - scale, scaled)
      && multiply_checked(scaled, weight, product) && add_checked(sum, product, sum)) {
    s.sum = sum;
    s.scale = wider;
    return;
  }
  add(slot, numeric(to_big(value), scale), weight);
}

numeric_sums::big_sum& numeric_sums::spill(std::uint32_t slot) {
  auto& s = sums_[slot];
  auto& big = big_[slot];
  if (!s.spilled) {
    s.spilled = true;
    big.sum = numeric(to_big(s.sum), s.scale);
  }
  return big;
}

void numeric_sums::add(std::uint32_t slot, const numeric& value, std::int64_t weight) {
  auto& big = spill(slot);
  switch (value.form()) {
  case numeric_form::finite:
    big.sum =
        ebb::add(big.sum, weight == 1 ? value : numeric(value.unscaled() * weight, value.scale()));
    break;
  case numeric_form::nan:
    big.nans += weight;
    break;
  case numeric_form::plus_infinity:
    big.plus_infinities += weight;
    break;
  case numeric_form::minus_infinity:
    big.minus_infinities += weight;
    break;
  }
}

void numeric_sums::merge(std::uint32_t slot, const numeric_sums& from, std::uint32_t from_slot) {
  const auto& s = from.sums_[from_slot];
  if (!s.spilled) {
    add(slot, s.sum, s.scale, 1);
    return;
  }
  const auto& theirs = from.big_.at(from_slot);
  auto& ours = spill(slot);
  ours.sum = ebb::add(ours.sum, theirs.sum);
  ours.nans += theirs.nans;
  ours.plus_infinities += theirs.plus_infinities;
  ours.minus_infinities += theirs.minus_infinities;
}

numeric numeric_sums::value(std::uint32_t slot) const {
  const auto& s = sums_[slot];
  if (!s.spilled)
    return {to_big(s.sum), s.scale};
  const auto& big = big_.at(slot);
  if (big.nans > 0 || (big.plus_infinities > 0 && big.minus_infinities > 0))
    return numeric(numeric_form::nan);
  if (big.plus_infinities > 0)
    return numeric(numeric_form::plus_infinity);
  if (big.minus_infinities > 0)
    return numeric(numeric_form::minus_infinity);
  return big.sum;
}

result<void> numeric_sums::store(std::uint32_t slot, column& x, std::uint32_t i) const {
  const auto& s = sums_[slot];
  if (s.spilled)
    return value(slot).store(x, i);
  set_numeric(x, i, s.sum, s.scale);
  return {};
}

} // namespace ebb
