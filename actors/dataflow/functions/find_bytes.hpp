/// Search for short byte strings, faster than the C library's on texts of a few hundred bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ebb {

/// Byte offset of the first `what` at or behind `from`, or npos. An empty `what` is found at
/// `from`.
[[nodiscard]] inline std::size_t find_bytes(std::string_view in, std::string_view what,
                                            std::size_t from = 0) noexcept {
  if (from > in.size() || in.size() - from < what.size())
    return std::string_view::npos;
  if (what.size() <= 1)
    return what.empty() ? from : in.find(what[0], from);
#if defined(__SSE2__)
  // Sixteen places at a time: those where the first and the last byte fit are compared.
  const char* const data = in.data();
  const std::size_t last_place = in.size() - what.size();
  const std::size_t distance = what.size() - 1;
  const __m128i first = _mm_set1_epi8(what.front());
  const __m128i last = _mm_set1_epi8(what.back());
  const auto load = [](const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  };
  std::size_t at = from;
  for (; at + distance + 16 <= in.size(); at += 16) {
    const __m128i fits = _mm_and_si128(_mm_cmpeq_epi8(first, load(data + at)),
                                       _mm_cmpeq_epi8(last, load(data + at + distance)));
    for (auto bits = static_cast<unsigned>(_mm_movemask_epi8(fits)); bits != 0; bits &= bits - 1) {
      const auto place = at + static_cast<std::size_t>(__builtin_ctz(bits));
      if (std::memcmp(data + place + 1, what.data() + 1, distance - 1) == 0)
        return place;
    }
  }
  for (; at <= last_place; ++at)
    if (data[at] == what.front() && std::memcmp(data + at + 1, what.data() + 1, distance) == 0)
      return at;
  return std::string_view::npos;
#else
  const void* found = memmem(in.data() + from, in.size() - from, what.data(), what.size());
  return found == nullptr ? std::string_view::npos
                          : static_cast<std::size_t>(static_cast<const char*>(found) - in.data());
#endif
}

} // namespace ebb
