/// The constant tables that Nexmark's events draw from.
#pragma once

#include "actors/connectors/nexmark_event.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::nexmark {

inline constexpr std::uint64_t hot_channels = 4;
inline constexpr std::uint64_t cold_channels = 10'000;
inline constexpr std::uint64_t name_count = 99;
inline constexpr std::uint64_t city_count = 10;
inline constexpr std::uint64_t state_count = 6;

/// Immutable after construction; text lives as long as the process.
class tables {
public:
  tables();

  /// Log-uniform price in cents, 100 to 100,000,000: round(100 · 10^(6u)), u = bits / 65536.
  [[nodiscard]] std::int64_t price(std::uint16_t bits) const noexcept {
    return prices_[bits];
  }

  /// Fetches what `price` and `channel` will read.
  void prefetch(std::uint16_t price_bits, std::uint64_t channel) const noexcept {
    __builtin_prefetch(&prices_[price_bits]);
    __builtin_prefetch(&channels_[channel]);
  }

  /// 0–3: Google, Facebook, Baidu, Apple; then `channel-0` ….
  [[nodiscard]] std::string_view channel(std::uint64_t i) const noexcept {
    return channels_[i].name;
  }

  [[nodiscard]] std::string_view url(std::uint64_t i) const noexcept {
    return channels_[i].url;
  }

  /// `size` (< 4096) letters from a place chosen by `bits`.
  [[nodiscard]] std::string_view letters(std::uint32_t bits, std::uint64_t size) const noexcept {
    return {letters_.data() + below(bits, pool_size), size};
  }

  /// The same with a space for one letter in 13, none at the ends.
  [[nodiscard]] std::string_view words(std::uint32_t bits, std::uint64_t size) const noexcept;

  [[nodiscard]] std::string_view name(std::uint64_t i) const noexcept {
    return names_[i];
  }

  [[nodiscard]] std::string_view city(std::uint64_t i) const noexcept;
  [[nodiscard]] std::string_view state(std::uint64_t i) const noexcept;

private:
  // 1 MiB, so that padding does not stay in the first-level cache, as real text would not.
  static constexpr std::uint64_t pool_size = std::uint64_t{1} << 20;
  static constexpr std::uint64_t words_size = std::uint64_t{1} << 17;
  static constexpr std::uint64_t pool_tail = 4096;

  // Side by side: a bid takes both, and one line of the cache holds two.
  struct channel_texts {
    std::string_view name, url;
  };

  std::vector<std::uint32_t> prices_;
  std::string letters_;
  std::string words_;
  std::string text_; ///< the bytes of channels, URLs and names
  std::vector<channel_texts> channels_;
  std::vector<std::string_view> names_;
};

} // namespace ebb::nexmark
