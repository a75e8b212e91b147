/// One open-addressing table from hash tags to slot numbers. Knows nothing of keys: the caller
/// compares. Internal to key_index.
///
/// A bucket is one cache line: eight tags, then eight slots, filled from the front. All tags of a
/// bucket are compared at once, so that a lookup has no branch that depends on where in the bucket
/// a key lies. A key that does not fit its bucket goes to the next one that has room.
#pragma once

#include "schemas/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <memory>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace ebb {

struct alignas(64) key_bucket {
  static constexpr std::uint32_t size = 8;
  static constexpr std::uint32_t no_slot = UINT32_MAX;

  std::uint32_t tags[size] = {}; ///< 0 = free
  std::uint32_t slots[size] = {no_slot, no_slot, no_slot, no_slot,
                               no_slot, no_slot, no_slot, no_slot};

  [[nodiscard]] bool full() const noexcept {
    return tags[size - 1] != 0;
  }

  /// Bit i set = tag i is equal.
  [[nodiscard]] std::uint32_t matches(std::uint32_t tag) const noexcept {
#if defined(__SSE2__)
    const auto wanted = _mm_set1_epi32(static_cast<int>(tag));
    const auto low = _mm_load_si128(reinterpret_cast<const __m128i*>(tags));
    const auto high = _mm_load_si128(reinterpret_cast<const __m128i*>(tags + 4));
    const auto packed =
        _mm_packs_epi32(_mm_cmpeq_epi32(low, wanted), _mm_cmpeq_epi32(high, wanted));
    return static_cast<std::uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(packed, packed))) & 0xff;
#else
    std::uint32_t bits = 0;
    for (std::uint32_t i = 0; i < size; ++i)
      bits |= static_cast<std::uint32_t>(tags[i] == tag) << i;
    return bits;
#endif
  }
};

static_assert(sizeof(key_bucket) == 64);

/// What a table without memory of its own looks at.
inline constexpr key_bucket empty_key_bucket{};

class key_table {
public:
  static constexpr std::uint32_t no_slot = key_bucket::no_slot;

  key_table() = default;

  key_table(key_table&& other) noexcept {
    *this = std::move(other);
  }

  key_table& operator=(key_table&& other) noexcept {
    buckets_ = std::move(other.buckets_);
    view_ = std::exchange(other.view_, &empty_key_bucket);
    mask_ = std::exchange(other.mask_, 0);
    limit_ = std::exchange(other.limit_, 0);
    used_ = std::exchange(other.used_, 0);
    return *this;
  }

  [[nodiscard]] std::uint32_t used() const noexcept {
    return used_;
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return buckets_ ? (std::size_t{mask_} + 1) * sizeof(key_bucket) : 0;
  }

  void prefetch(std::uint64_t hash) const noexcept {
    __builtin_prefetch(&home(tag_of(hash)));
  }

  /// The first slot that the hash's own bucket has for its tag, or no_slot.
  [[nodiscard]] std::uint32_t first_guess(std::uint64_t hash) const noexcept {
    const auto tag = tag_of(hash);
    const auto& bucket = home(tag);
    const auto bits = bucket.matches(tag);
    return bits == 0 ? no_slot : bucket.slots[std::countr_zero(bits)];
  }

  /// Slot of this hash for which `equal(slot)` holds, or no_slot.
  template <class Equal>
  [[nodiscard]] std::uint32_t find(std::uint64_t hash, const Equal& equal) const {
    const auto tag = tag_of(hash);
    for (auto at = tag & mask_;; at = (at + 1) & mask_) {
      const auto& bucket = view_[at];
      for (auto bits = bucket.matches(tag); bits != 0; bits &= bits - 1) {
        const auto slot = bucket.slots[std::countr_zero(bits)];
        if (equal(slot)) [[likely]]
          return slot;
      }
      if (!bucket.full()) [[likely]]
        return no_slot;
    }
  }

  /// Adds a slot that is not in the table.
  void insert(std::uint64_t hash, std::uint32_t slot) {
    if (used_ >= limit_)
      grow();
    place(tag_of(hash), slot);
    ++used_;
  }

  /// Removes an entry that is in the table.
  void erase(std::uint64_t hash, std::uint32_t slot) {
    auto at = tag_of(hash) & mask_;
    std::uint32_t hole = 0;
    while (true) {
      auto& bucket = buckets_[at];
      hole = static_cast<std::uint32_t>(
          std::find(bucket.slots, bucket.slots + key_bucket::size, slot) - bucket.slots);
      if (hole < key_bucket::size)
        break;
      EBB_ASSERT(bucket.full());
      at = (at + 1) & mask_;
    }
    --used_;
    close_gap(at, hole);
  }

  /// Empties the table; keeps its memory unless it was mostly unused.
  void clear() {
    if (buckets_ == nullptr)
      return;
    const auto buckets = std::size_t{mask_} + 1;
    if (buckets > 1 && used_ < buckets) {
      *this = key_table{};
      return;
    }
    std::fill_n(buckets_.get(), buckets, key_bucket{});
    used_ = 0;
  }

  /// A slot of the table, which is not empty.
  [[nodiscard]] std::uint32_t any() const noexcept {
    std::size_t at = 0;
    while (view_[at].tags[0] == 0)
      ++at;
    return view_[at].slots[0];
  }

  /// Calls `visit(slot)` for each entry.
  template <class Visit>
  void for_each(const Visit& visit) const {
    for (std::size_t at = 0; at <= mask_; ++at)
      for (std::uint32_t i = 0; i < key_bucket::size && view_[at].tags[i] != 0; ++i)
        visit(view_[at].slots[i]);
  }

private:
  /// The hash's low bits, of which the lowest choose the bucket; never 0.
  [[nodiscard]] static std::uint32_t tag_of(std::uint64_t hash) noexcept {
    return static_cast<std::uint32_t>(hash) | 0x80000000U;
  }

  [[nodiscard]] const key_bucket& home(std::uint32_t tag) const noexcept {
    return view_[tag & mask_];
  }

  void place(std::uint32_t tag, std::uint32_t slot) noexcept {
    auto at = tag & mask_;
    while (buckets_[at].full())
      at = (at + 1) & mask_;
    auto& bucket = buckets_[at];
    std::uint32_t i = 0;
    while (bucket.tags[i] != 0)
      ++i;
    bucket.tags[i] = tag;
    bucket.slots[i] = slot;
  }

  /// Takes out entry `hole` of bucket `at`. Where the bucket was full, an entry that had to pass it
  /// by comes back, and so on.
  void close_gap(std::uint32_t at, std::uint32_t hole) noexcept {
    auto& bucket = buckets_[at];
    const bool was_full = bucket.full();
    std::uint32_t last = key_bucket::size - 1;
    while (bucket.tags[last] == 0)
      --last;
    bucket.tags[hole] = bucket.tags[last];
    bucket.slots[hole] = bucket.slots[last];
    bucket.tags[last] = 0;
    bucket.slots[last] = no_slot;
    if (!was_full)
      return;
    for (auto next = (at + 1) & mask_; next != at; next = (next + 1) & mask_) {
      auto& other = buckets_[next];
      for (std::uint32_t i = 0; i < key_bucket::size && other.tags[i] != 0; ++i) {
        const auto from = other.tags[i] & mask_;
        if (((next - from) & mask_) < ((next - at) & mask_))
          continue; // its own bucket lies behind the gap
        bucket.tags[last] = other.tags[i];
        bucket.slots[last] = other.slots[i];
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
    const std::size_t count = old_count == 0 ? 1 : old_count * 2;
    EBB_ASSERT(count <= (std::size_t{1} << 29));
    buckets_ = std::make_unique<key_bucket[]>(count);
    view_ = buckets_.get();
    mask_ = static_cast<std::uint32_t>(count - 1);
    // 5.5 of 8: few buckets run over even just before the table doubles. One entry of a single
    // bucket stays free, so that every search ends.
    limit_ = count == 1 ? key_bucket::size - 1
                        : static_cast<std::uint32_t>(count * key_bucket::size / 16 * 11);
    for (std::size_t at = 0; at < old_count; ++at)
      for (std::uint32_t i = 0; i < key_bucket::size && old[at].tags[i] != 0; ++i)
        place(old[at].tags[i], old[at].slots[i]);
  }

  const key_bucket* view_ = &empty_key_bucket; ///< buckets_, or before the first insert this
  std::uint32_t mask_ = 0;
  std::uint32_t limit_ = 0;
  std::uint32_t used_ = 0;
  std::unique_ptr<key_bucket[]> buckets_;
};

} // namespace ebb
