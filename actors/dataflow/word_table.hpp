/// As key_table, for keys of one word: the words lie in the buckets themselves, so that a lookup
/// touches one cache line and no key elsewhere. Internal to key_index.
#pragma once

#include "actors/dataflow/key_words.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

namespace ebb {

/// Words and slots of up to five keys, filled from the front.
struct alignas(64) word_bucket {
  static constexpr std::uint32_t size = 5;

  std::uint64_t words[size] = {};
  std::uint32_t slots[size] = {};
  std::uint32_t used = 0;

  [[nodiscard]] bool full() const noexcept {
    return used == size;
  }

  /// Bit i set = word i is equal.
  [[nodiscard]] std::uint32_t matches(std::uint64_t word) const noexcept {
#if defined(__SSE4_1__)
    const auto wanted = _mm_set1_epi64x(static_cast<long long>(word));
    const auto pair = [&](const std::uint64_t* at) {
      const auto same =
          _mm_cmpeq_epi64(_mm_load_si128(reinterpret_cast<const __m128i*>(at)), wanted);
      return static_cast<std::uint32_t>(_mm_movemask_pd(_mm_castsi128_pd(same)));
    };
    const auto equal =
        pair(words) | pair(words + 2) << 2 | static_cast<std::uint32_t>(words[4] == word) << 4;
#else
    std::uint32_t equal = 0;
    for (std::uint32_t i = 0; i < size; ++i)
      equal |= static_cast<std::uint32_t>(words[i] == word) << i;
#endif
    return equal & ((1U << used) - 1);
  }
};

static_assert(sizeof(word_bucket) == 64);

/// What a table without memory of its own looks at.
inline constexpr word_bucket empty_word_bucket{};

class word_table {
public:
  static constexpr std::uint32_t no_slot = UINT32_MAX;

  word_table() = default;

  word_table(word_table&& other) noexcept {
    *this = std::move(other);
  }

  word_table& operator=(word_table&& other) noexcept {
    buckets_ = std::move(other.buckets_);
    view_ = std::exchange(other.view_, &empty_word_bucket);
    mask_ = std::exchange(other.mask_, 0);
    limit_ = std::exchange(other.limit_, 0);
    used_ = std::exchange(other.used_, 0);
    return *this;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return buckets_ ? (std::size_t{mask_} + 1) * sizeof(word_bucket) : 0;
  }

  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(view_ + (hash & mask_));
  }

  /// Slot of a word, or no_slot. `hash` is mix_word(word).
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, std::uint64_t word) const noexcept {
    for (auto at = hash & mask_;; at = (at + 1) & mask_) {
      const auto& bucket = view_[at];
      if (const auto bits = bucket.matches(word); bits != 0) [[likely]]
        return bucket.slots[std::countr_zero(bits)];
      if (!bucket.full()) [[likely]]
        return no_slot;
    }
  }

  /// Adds a word that is not in the table.
  void insert(std::uint64_t word, std::uint32_t slot) {
    if (used_ >= limit_)
      grow();
    place(word, slot);
    ++used_;
  }

  /// Removes a word that is in the table.
  void erase(std::uint64_t word) {
    auto at = home(word);
    std::uint32_t bits = 0;
    while ((bits = buckets_[at].matches(word)) == 0) {
      EBB_ASSERT(buckets_[at].full());
      at = (at + 1) & mask_;
    }
    --used_;
    close_gap(at, static_cast<std::uint32_t>(std::countr_zero(bits)));
  }

  /// Empties the table; keeps its memory unless it was mostly unused.
  void clear() {
    if (buckets_ == nullptr)
      return;
    const auto buckets = std::size_t{mask_} + 1;
    if (buckets > 1 && used_ < buckets) {
      *this = word_table{};
      return;
    }
    for (std::size_t at = 0; at < buckets; ++at)
      buckets_[at].used = 0;
    used_ = 0;
  }

  /// Calls `visit(word, slot)` for each entry.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t at = 0; at <= mask_; ++at)
      for (std::uint32_t i = 0; i < view_[at].used; ++i)
        visit(view_[at].words[i], view_[at].slots[i]);
  }

private:
  [[nodiscard]] std::uint64_t home(std::uint64_t word) const noexcept {
    return mix_word(word) & mask_;
  }

  void place(std::uint64_t word, std::uint32_t slot) noexcept {
    auto at = home(word);
    while (buckets_[at].full())
      at = (at + 1) & mask_;
    auto& bucket = buckets_[at];
    bucket.words[bucket.used] = word;
    bucket.slots[bucket.used++] = slot;
  }

  /// Takes out entry `hole` of bucket `at`. Where the bucket was full, an entry that had to pass it
  /// by comes back, and so on.
  void close_gap(std::uint64_t at, std::uint32_t hole) noexcept {
    auto& bucket = buckets_[at];
    const bool was_full = bucket.full();
    const auto last = --bucket.used;
    bucket.words[hole] = bucket.words[last];
    bucket.slots[hole] = bucket.slots[last];
    if (!was_full)
      return;
    for (auto next = (at + 1) & mask_; next != at; next = (next + 1) & mask_) {
      auto& other = buckets_[next];
      for (std::uint32_t i = 0; i < other.used; ++i) {
        if (((next - home(other.words[i])) & mask_) < ((next - at) & mask_))
          continue; // its own bucket lies behind the gap
        bucket.words[last] = other.words[i];
        bucket.slots[last] = other.slots[i];
        ++bucket.used;
        close_gap(next, i);
        return;
      }
      if (!other.full())
        return;
    }
  }

  void grow() {
    const auto old = std::move(buckets_);
    const std::size_t old_count = old ? std::size_t{mask_} + 1 : 0;
    const std::size_t count = old_count == 0 ? 2 : old_count * 2;
    EBB_ASSERT(count <= (std::size_t{1} << 30));
    buckets_ = std::make_unique<word_bucket[]>(count);
    view_ = buckets_.get();
    mask_ = count - 1;
    // 3.25 of 5: few buckets run over even just before the table doubles, and none of its searches
    // is without end.
    limit_ = count / 4 * 13 + count % 4 * 3;
    for (std::size_t at = 0; at < old_count; ++at)
      for (std::uint32_t i = 0; i < old[at].used; ++i)
        place(old[at].words[i], old[at].slots[i]);
  }

  const word_bucket* view_ = &empty_word_bucket; ///< buckets_, or before the first insert this
  std::uint64_t mask_ = 0;
  std::uint64_t limit_ = 0;
  std::uint64_t used_ = 0;
  std::unique_ptr<word_bucket[]> buckets_;
};

} // namespace ebb
