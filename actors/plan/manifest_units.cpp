#include "actors/plan/manifest.hpp"

#include <charconv>

namespace ebb {

namespace {

struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr unit durations[] = {
    {"ms", 1'000}, {"s", 1'000'000}, {"m", 60'000'000}, {"h", 3'600'000'000}, {"d", 86'400'000'000},
};

constexpr unit sizes[] = {
    {"", 1},
    {"k", 1'000},
    {"M", 1'000'000},
    {"G", 1'000'000'000},
    {"T", 1'000'000'000'000},
    {"Ki", std::uint64_t{1} << 10},
    {"Mi", std::uint64_t{1} << 20},
    {"Gi", std::uint64_t{1} << 30},
    {"Ti", std::uint64_t{1} << 40},
};

/// Digits and a unit; null when it is not that, or does not fit 63 bits.
template <std::size_t N>
std::optional<std::uint64_t> amount(std::string_view text, const unit (&units)[N]) {
  std::uint64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  if (problem != std::errc{} || stop == text.data())
    return std::nullopt;
  const auto name = text.substr(static_cast<std::size_t>(stop - text.data()));
  for (const auto& x : units) {
    std::uint64_t product = 0;
    if (x.name != name)
      continue;
    if (__builtin_mul_overflow(number, x.factor, &product) || product > INT64_MAX)
      return std::nullopt;
    return product;
  }
  return std::nullopt;
}

} // namespace

result<micros> parse_duration(std::string_view text) {
  if (text == "0")
    return micros{0};
  if (const auto value = amount(text, durations))
    return static_cast<micros>(*value);
  return make_error(ec::invalid_argument, "invalid duration \"" + std::string(text) + '"',
                    "a whole number and one of ms, s, m, h, d: 10s");
}

result<std::uint64_t> parse_size(std::string_view text) {
  if (const auto value = amount(text, sizes))
    return *value;
  return make_error(ec::invalid_argument, "invalid size \"" + std::string(text) + '"',
                    "a whole number of bytes, or with one of Ki, Mi, Gi, Ti: 64Mi");
}

} // namespace ebb
