/// The keys of a key_index, by slot: as words where all columns are at most 8 bytes wide, else as
/// canonical bytes. Internal to key_index.
#pragma once

#include "actors/dataflow/growing_array.hpp"
#include "actors/dataflow/key_words.hpp"
#include "actors/dataflow/slot_changes.hpp"
#include "schemas/assert.hpp"
#include "schemas/error.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

class key_store {
public:
  /// Rows whose cache misses overlap: more than a core has line-fill buffers for gains nothing.
  static constexpr std::uint32_t chunk = 32;
  static constexpr std::size_t words_max = 4;

  explicit key_store(std::vector<sql_type> types);

  [[nodiscard]] const std::vector<sql_type>& types() const noexcept {
    return types_;
  }

  void add_slot() {
    records_.grow(records_.size() + stride_, 0);
  }

  /// Drops the key of a slot that is to be reused.
  void remove(std::uint32_t slot);
  void clear();

  void prefetch(std::uint32_t slot) const noexcept {
    __builtin_prefetch(record(slot));
  }

  /// What `prefetch` brings in says where a key's bytes are.
  void prefetch_bytes(std::uint32_t slot) const noexcept {
    if (!in_words_)
      __builtin_prefetch(bytes(slot));
  }

  /// True where a key is one word (or NULL).
  [[nodiscard]] bool one_word() const noexcept {
    return in_words_ && types_.size() == 1;
  }

  /// The word of a key of one, 0 for NULL.
  [[nodiscard]] std::uint64_t word(std::uint32_t slot) const noexcept {
    return record(slot)[1];
  }

  [[nodiscard]] bool is_null(std::uint32_t slot) const noexcept {
    return (record(slot)[0] & null_bits) != 0;
  }

  /// Numbers the change of a slot whose key has just been stored.
  void stamp(std::uint32_t slot, std::uint32_t mark) {
    record(slot)[0] |= std::uint64_t{mark} << 32;
    changes_.add(slot, mark);
  }

  void touch(std::uint32_t slot, std::uint32_t mark) {
    if (static_cast<std::uint32_t>(record(slot)[0] >> 32) != mark) [[unlikely]]
      touch_first(slot, mark);
  }

  [[nodiscard]] std::uint32_t touched(std::uint32_t slot) const noexcept {
    return static_cast<std::uint32_t>(record(slot)[0] >> 32) & ~slot_changes::written;
  }

  /// What changed since which mark, and what a save still has to write.
  [[nodiscard]] slot_changes& changes() noexcept {
    return changes_;
  }

  [[nodiscard]] const slot_changes& changes() const noexcept {
    return changes_;
  }

  /// Takes up to `most` slots that are frozen and not written, and counts them as written.
  void take_frozen(std::size_t most, std::vector<std::uint32_t>& out);

  [[nodiscard]] column key_column(std::size_t k, std::span<const std::uint32_t> slots) const;
  void encode(std::uint32_t slot, std::string& out) const;

  /// Of keys in bytes.
  [[nodiscard]] std::string_view encoded(std::uint32_t slot) const noexcept {
    EBB_ASSERT(!in_words_);
    return {bytes(slot), static_cast<std::uint32_t>(record(slot)[0])};
  }

  [[nodiscard]] bool exact() const noexcept {
    return exact_;
  }

  [[nodiscard]] std::size_t record_bytes() const noexcept {
    return stride_ * sizeof(std::uint64_t);
  }

  [[nodiscard]] std::size_t byte_size() const noexcept {
    return records_.capacity() * sizeof(std::uint64_t) + arena_bytes_ + changes_.byte_size();
  }

  /// Up to `chunk` rows' keys of N word columns, ready for comparing.
  template <std::size_t N>
  class word_probe {
  public:
    void load(std::span<const column* const> columns, const std::uint32_t* picks,
              std::uint32_t first, std::uint32_t count);

    [[nodiscard]] bool equal(const key_store& keys, std::uint32_t slot, std::uint32_t j) const {
      const auto* r = keys.record(slot);
      bool same = (r[0] & null_bits) == nulls_[j];
      for (std::size_t w = 0; w < N; ++w)
        same &= r[w + 1] == words_[w][j];
      return same;
    }

    void store(key_store& keys, std::uint32_t slot, std::uint32_t j) const;

    /// Of keys of one word.
    [[nodiscard]] std::uint64_t word(std::uint32_t j) const noexcept {
      return words_[0][j];
    }

    [[nodiscard]] bool is_null(std::uint32_t j) const noexcept {
      return nulls_[j] != 0;
    }

  private:
    std::array<std::array<std::uint64_t, chunk>, N> words_;
    std::array<std::uint64_t, chunk> nulls_;
    std::span<const column* const> columns_;
    std::array<std::uint32_t, chunk> rows_;
  };

  /// Up to `chunk` rows' keys as canonical bytes.
  class byte_probe {
  public:
    void load(std::span<const column* const> columns, const std::uint32_t* picks,
              std::uint32_t first, std::uint32_t count);

    [[nodiscard]] bool equal(const key_store& keys, std::uint32_t slot, std::uint32_t j) const {
      const auto size = ends_[j + 1] - ends_[j];
      const auto* r = keys.record(slot);
      return static_cast<std::uint32_t>(r[0]) == size
             && std::memcmp(keys.bytes(slot), bytes_.data() + ends_[j], size) == 0;
    }

    void store(key_store& keys, std::uint32_t slot, std::uint32_t j) const;

  private:
    std::string bytes_;
    std::array<std::uint32_t, chunk + 1> ends_;
    std::span<const column* const> columns_;
    std::array<std::uint32_t, chunk> rows_;
  };

  /// Keys that lie in another store over the same types.
  struct slot_probe {
    const key_store& from;
    const std::uint32_t* slots;

    [[nodiscard]] bool equal(const key_store& keys, std::uint32_t slot, std::uint32_t j) const;
    void store(key_store& keys, std::uint32_t slot, std::uint32_t j) const;

    [[nodiscard]] std::uint64_t word(std::uint32_t j) const noexcept {
      return from.word(slots[j]);
    }

    [[nodiscard]] bool is_null(std::uint32_t j) const noexcept {
      return from.is_null(slots[j]);
    }
  };

  /// Calls `body(probe)` with an unloaded probe for keys of our types.
  template <class Body>
  void with_probe(const Body& body) const {
    if (!in_words_) {
      byte_probe probe;
      body(probe);
      return;
    }
    const auto words = [&body](auto width) {
      word_probe<decltype(width)::value> probe;
      body(probe);
    };
    switch (types_.size()) {
    case 0:
      return words(std::integral_constant<std::size_t, 0>{});
    case 1:
      return words(std::integral_constant<std::size_t, 1>{});
    case 2:
      return words(std::integral_constant<std::size_t, 2>{});
    case 3:
      return words(std::integral_constant<std::size_t, 3>{});
    default:
      return words(std::integral_constant<std::size_t, words_max>{});
    }
  }

private:
  // Change numbers have 31 bits; the highest says that the present save has written the slot.
  // Record of a slot in words: head, then one canonical word a column. Head: bits 0–7 which columns
  // are NULL, bits 8–15 which were -0.0, bits 32–63 the change number. Record in bytes: head (bits
  // 0–31 length of the canonical bytes, 32–63 the change number) and the address; behind the
  // canonical bytes lie, where these are not exact, the values as they were first seen.
  static constexpr std::uint64_t null_bits = 0xff;
  static constexpr unsigned minus_zero_shift = 8;

  [[nodiscard]] std::uint64_t* record(std::uint32_t slot) noexcept {
    return records_.data() + slot * stride_;
  }

  [[nodiscard]] const std::uint64_t* record(std::uint32_t slot) const noexcept {
    return records_.data() + slot * stride_;
  }

  [[nodiscard]] const char* bytes(std::uint32_t slot) const noexcept {
    return reinterpret_cast<const char*>(record(slot)[1]);
  }

  /// Length of what follows the canonical bytes.
  [[nodiscard]] std::uint32_t tail_size(std::uint32_t slot) const noexcept {
    return exact_ ? 0 : tails_[slot];
  }

  void touch_first(std::uint32_t slot, std::uint32_t mark);
  void set_bytes(std::uint32_t slot, std::string_view canonical, std::string_view tail);
  [[nodiscard]] char* allocate(std::size_t size);
  void compact();
  [[nodiscard]] column word_column(std::size_t k, std::span<const std::uint32_t> slots) const;

  std::vector<sql_type> types_;
  bool in_words_;
  bool exact_; ///< the canonical form loses nothing
  std::size_t stride_;
  growing_array<std::uint64_t> records_;
  std::vector<std::uint32_t> tails_; ///< by slot, where not exact
  std::vector<std::unique_ptr<char[]>> arena_;
  char* arena_next_ = nullptr;
  char* arena_end_ = nullptr;
  std::size_t arena_bytes_ = 0;
  std::size_t live_bytes_ = 0;
  slot_changes changes_;
};

} // namespace ebb
