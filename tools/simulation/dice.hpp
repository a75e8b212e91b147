/// Chances of a simulation: the same seed throws the same.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace ebb::sim {

/// SplitMix64: a few instructions a throw, any seed is a good one.
class dice {
public:
  explicit dice(std::uint64_t seed) noexcept : state_(seed) {}

  std::uint64_t next() noexcept {
    return mixed(state_ += 0x9e3779b97f4a7c15U);
  }

  /// 0 … n - 1.
  std::uint64_t below(std::uint64_t n) noexcept {
    return next() % n;
  }

  /// True so many times in a million.
  bool chance(std::uint32_t in_a_million) noexcept {
    return in_a_million != 0 && below(1'000'000) < in_a_million;
  }

  template <class T>
  T one_of(std::initializer_list<T> values) noexcept {
    return values.begin()[below(values.size())];
  }

  /// A good hash of one number.
  [[nodiscard]] static constexpr std::uint64_t mixed(std::uint64_t x) noexcept {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
  }

private:
  std::uint64_t state_;
};

} // namespace ebb::sim
