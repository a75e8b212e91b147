/// Places of one byte in short texts, sixteen bytes at a time.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ebb {

/// Calls `take(at, bits)` for consecutive blocks of `text`: bit k is set where `fits` holds for the
/// byte at `at + k`. Blocks without such a byte may be left out. Stops when `take` returns false.
/// `Fits` tests one byte and, on x86-64, sixteen (0xff where it holds).
template <class Fits, class Take>
inline void for_each_block(std::string_view text, const Fits& fits, const Take& take) {
  std::size_t at = 0;
#if defined(__SSE2__)
  const auto bits_at = [&](std::size_t place) {
    return static_cast<std::uint32_t>(_mm_movemask_epi8(
        fits(_mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + place)))));
  };
  for (; at + 16 <= text.size(); at += 16)
    if (const auto bits = bits_at(at); bits != 0 && !take(at, bits))
      return;
  if (at == text.size())
    return;
  if (text.size() >= 16) {
    // The last sixteen bytes once more, without those that were seen.
    const auto bits = bits_at(text.size() - 16) >> (16 - (text.size() - at));
    if (bits != 0)
      take(at, bits);
    return;
  }
#endif
  while (at < text.size()) {
    std::uint32_t bits = 0;
    const auto block = at;
    for (std::uint32_t k = 0; k < 16 && at < text.size(); ++k, ++at)
      bits |= static_cast<std::uint32_t>(fits(text[at])) << k;
    if (bits != 0 && !take(block, bits))
      return;
  }
}

/// Equal to one byte.
class byte_is {
public:
  explicit byte_is(char wanted) noexcept
      : wanted_(wanted)
#if defined(__SSE2__)
        ,
        all_(_mm_set1_epi8(wanted))
#endif
  {
  }

  [[nodiscard]] bool operator()(char byte) const noexcept {
    return byte == wanted_;
  }

#if defined(__SSE2__)
  [[nodiscard]] __m128i operator()(__m128i bytes) const noexcept {
    return _mm_cmpeq_epi8(bytes, all_);
  }
#endif

private:
  char wanted_;
#if defined(__SSE2__)
  __m128i all_;
#endif
};

/// The first byte of a UTF-8 character.
struct byte_starts_character {
  [[nodiscard]] bool operator()(char byte) const noexcept {
    return static_cast<signed char>(byte) > -65;
  }

#if defined(__SSE2__)
  [[nodiscard]] __m128i operator()(__m128i bytes) const noexcept {
    return _mm_cmpgt_epi8(bytes, _mm_set1_epi8(-65));
  }
#endif
};

/// Field `n` (from 1) of a text cut at each `separator`; empty when there are fewer.
[[nodiscard]] inline std::string_view field_between(std::string_view text, const byte_is& separator,
                                                    std::uint32_t n) noexcept {
  std::uint32_t left = n - 1;
  std::size_t begin = 0;
  std::size_t end = text.size();
  for_each_block(text, separator, [&](std::size_t at, std::uint32_t bits) {
    if (left != 0) {
      const auto count = static_cast<std::uint32_t>(std::popcount(bits));
      if (count < left) {
        left -= count;
        return true;
      }
      for (; left != 1; --left)
        bits &= bits - 1;
      begin = at + static_cast<std::size_t>(std::countr_zero(bits)) + 1;
      left = 0;
      bits &= bits - 1;
    }
    if (bits == 0)
      return true;
    end = at + static_cast<std::size_t>(std::countr_zero(bits));
    return false;
  });
  return left != 0 ? std::string_view{} : text.substr(begin, end - begin);
}

} // namespace ebb
