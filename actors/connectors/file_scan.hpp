/// Finds the bytes that end fields and strings, many bytes at a time. Vector code for x86-64, plain
/// loops elsewhere. Loads go up to 64 bytes past the text: see chunk_padding.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#if defined(__SSE4_2__)
#define EBB_SCAN_SSE 1
#include <immintrin.h>
#else
#define EBB_SCAN_SSE 0
#endif

namespace ebb::scan {

/// Walks over the special bytes of CSV text: the delimiter, line feed, quote and NUL.
class csv_scanner {
public:
  explicit csv_scanner(char delimiter) noexcept : delimiter_(delimiter) {
    for (unsigned i = 0; i < 16; ++i)
      table_[i] = static_cast<char>(~i); // never equal to a byte whose low four bits are i
    for (char c : {'\0', '\n', '"'})
      table_[static_cast<unsigned>(c) & 15] = c;
    auto& place = table_[static_cast<unsigned char>(delimiter) & 15];
    const auto free = static_cast<char>(~(static_cast<unsigned char>(delimiter) & 15U));
    extra_ = place != free;
    if (!extra_)
      place = delimiter;
  }

  /// Goes on from `p`; nothing at or behind `end` is found.
  void seek(const char* p, const char* end) noexcept {
    base_ = p;
    end_ = end;
    load();
  }

  /// The next special byte, or `end` when there is none.
  [[nodiscard]] const char* next() noexcept {
    while (mask_ == 0) {
      base_ += 64;
      if (base_ >= end_)
        return end_;
      load();
    }
    const char* hit = base_ + std::countr_zero(mask_);
    mask_ &= mask_ - 1;
    return hit < end_ ? hit : end_;
  }

  /// Whether a byte above 127 was seen since the last `clear_high` (bytes of the text right behind
  /// count, too).
  [[nodiscard]] bool high() const noexcept {
    return high_;
  }

  void clear_high() noexcept {
    high_ = window_high_;
  }

private:
  void load() noexcept {
#if EBB_SCAN_SSE
    const __m128i table = _mm_load_si128(reinterpret_cast<const __m128i*>(table_));
    __m128i x[4];
    __m128i hit[4];
    for (int i = 0; i < 4; ++i) {
      x[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(base_) + i);
      hit[i] = _mm_cmpeq_epi8(_mm_shuffle_epi8(table, x[i]), x[i]);
    }
    if (extra_) {
      const __m128i delimiter = _mm_set1_epi8(delimiter_);
      for (int i = 0; i < 4; ++i)
        hit[i] = _mm_or_si128(hit[i], _mm_cmpeq_epi8(x[i], delimiter));
    }
    mask_ = 0;
    for (int i = 0; i < 4; ++i)
      mask_ |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(hit[i])))
               << (16 * i);
    window_high_ =
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(x[0], x[1]), _mm_or_si128(x[2], x[3]))) != 0;
#else
    mask_ = 0;
    unsigned char all = 0;
    for (unsigned i = 0; i < 64; ++i) {
      const char c = base_[i];
      all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
      const bool hit = c == delimiter_ || c == '\n' || c == '"' || c == '\0';
      mask_ |= static_cast<std::uint64_t>(hit) << i;
    }
    window_high_ = all >= 0x80;
#endif
    high_ |= window_high_;
  }

  alignas(16) char table_[16];
  char delimiter_;
  bool extra_ = false; ///< the delimiter has no place of its own in the table
  bool high_ = false;
  bool window_high_ = false;
  std::uint64_t mask_ = 0;
  const char* base_ = nullptr;
  const char* end_ = nullptr;
};

/// The next quote or NUL in [p, end), or `end`. Sets `high` when a byte above 127 was seen.
[[nodiscard]] inline const char* find_quote(const char* p, const char* end, bool& high) noexcept {
#if EBB_SCAN_SSE
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i zero = _mm_setzero_si128();
  for (; p < end; p += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    high |= _mm_movemask_epi8(x) != 0;
    const auto hits = static_cast<unsigned>(
        _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, zero))));
    if (hits != 0) {
      const char* hit = p + std::countr_zero(hits);
      return hit < end ? hit : end;
    }
  }
  return end;
#else
  for (; p < end && *p != '"' && *p != '\0'; ++p)
    high |= static_cast<unsigned char>(*p) >= 0x80;
  return p;
#endif
}

/// From inside a JSON string: the next quote, backslash or control character. There must be one
/// (the line feed that ends the record).
[[nodiscard]] inline const char* find_string_end(const char* p, bool& high) noexcept {
#if EBB_SCAN_SSE
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i backslash = _mm_set1_epi8('\\');
  const __m128i control = _mm_set1_epi8(0x1f);
  for (;; p += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    high |= _mm_movemask_epi8(x) != 0;
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, backslash)),
                     _mm_cmpeq_epi8(_mm_min_epu8(x, control), x));
    const auto hits = static_cast<unsigned>(_mm_movemask_epi8(hit));
    if (hits != 0)
      return p + std::countr_zero(hits);
  }
#else
  for (;; ++p) {
    const auto c = static_cast<unsigned char>(*p);
    if (c == '"' || c == '\\' || c < 0x20)
      return p;
    high |= c >= 0x80;
  }
#endif
}

/// Whether text holds what CSV must quote. Reads nothing past the text.
[[nodiscard]] inline bool needs_quotes(const char* p, std::size_t size, char delimiter) noexcept {
  std::size_t i = 0;
#if EBB_SCAN_SSE
  const __m128i line_feed = _mm_set1_epi8('\n');
  const __m128i carriage_return = _mm_set1_epi8('\r');
  const __m128i quote = _mm_set1_epi8('"');
  const __m128i field_end = _mm_set1_epi8(delimiter);
  for (; i + 16 <= size; i += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + i));
    const __m128i hit =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(x, line_feed), _mm_cmpeq_epi8(x, carriage_return)),
                     _mm_or_si128(_mm_cmpeq_epi8(x, quote), _mm_cmpeq_epi8(x, field_end)));
    if (_mm_movemask_epi8(hit) != 0)
      return true;
  }
#endif
  for (; i < size; ++i)
    if (p[i] == delimiter || p[i] == '"' || p[i] == '\n' || p[i] == '\r')
      return true;
  return false;
}

[[nodiscard]] inline std::uint64_t load8(const char* p) noexcept {
  std::uint64_t x = 0;
  std::memcpy(&x, p, sizeof x);
  return x;
}

} // namespace ebb::scan
