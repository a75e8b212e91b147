/// Rows that an operator keeps: append-only columns in chunks, addressed by row number.
///
/// A row number is stable: chunk number (20 bits, wrapping) and place in the chunk (12 bits). Rows
/// go away a chunk at a time, oldest first. Large batches are adopted without copying; small ones
/// are copied together. Text bytes are owned: they are copied into the store's arenas, unless a
/// batch's heap is mostly used by the adopted rows (then the heap is kept) or the bytes live as
/// long as the process (a column without heap).
///
/// Each row also has a 64-bit sequence, its place in the order of arrival, which survives saving.
///
/// Not thread-safe, not even for reading: one operator owns it.
#pragma once

#include "schemas/batch.hpp"
#include "schemas/error.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

struct row_pack;

class row_store {
public:
  static constexpr unsigned place_bits = 12;
  static constexpr std::uint32_t chunk_rows = 1U << place_bits;
  static constexpr std::uint32_t chunk_mask = (1U << (32 - place_bits)) - 1;
  static constexpr std::uint32_t no_row = UINT32_MAX;

  /// Whole batches of at least `adopt_from` rows are kept as they are.
  explicit row_store(std::vector<sql_type> types, std::uint32_t adopt_from = 1024);

  /// Appends rows picks[0..count) (null = rows 0..count) of `from`; their numbers go to
  /// `numbers[0..count)`. Error: the store has no row numbers left.
  [[nodiscard]] result<void> append(const batch& from, const std::uint32_t* picks,
                                    std::uint32_t count, std::uint32_t* numbers);

  /// Appends one row in the byte form that `encode` wrote, with the sequence it had. Error: corrupt
  /// bytes.
  [[nodiscard]] result<std::uint32_t> append_encoded(std::string_view& bytes,
                                                     std::uint64_t sequence);

  /// Appends rows of a pack (row_pack.hpp) with the sequences they had, which were given out before
  /// those to come. `kept`: places in the pack; their numbers go to `numbers`. Error: another
  /// schema's pack.
  [[nodiscard]] result<void> append_saved(row_pack pack, std::span<const std::uint32_t> kept,
                                          std::uint32_t* numbers);

  /// Appends the row's byte form (value_builder.hpp, column by column) to `out`.
  void encode(std::uint32_t row, std::string& out) const;

  /// Place of the row in the order of arrival, kept by `encode` users in the key of its entry.
  [[nodiscard]] std::uint64_t sequence_of(std::uint32_t row) const noexcept {
    const auto& c = chunks_[slot_of(row)];
    return c.sequences.empty() ? c.first_sequence + place_of(row) : c.sequences[place_of(row)];
  }

  /// Sequence of the next appended row.
  [[nodiscard]] std::uint64_t next_sequence() const noexcept {
    return next_sequence_;
  }

  /// Rows to be appended get none before this.
  void skip_sequences(std::uint64_t next) noexcept {
    next_sequence_ = std::max(next_sequence_, next);
  }

  /// Largest sequence of a chunk's rows.
  [[nodiscard]] std::uint64_t newest_in(std::uint32_t chunk) const noexcept {
    return chunks_[dropped_ + chunk].newest;
  }

  /// Column k of the given rows. Text bytes are shared while few chunks are touched, else copied.
  [[nodiscard]] column gather(std::size_t k, const std::uint32_t* rows, std::uint32_t count) const;

  /// The same as it is stored (an array is its byte form), with text that lives only as long as the
  /// rows do.
  [[nodiscard]] column peek(std::size_t k, const std::uint32_t* rows, std::uint32_t count) const;

  /// All columns of the given rows, appended to `out`.
  void gather_all(const std::uint32_t* rows, std::uint32_t count, std::vector<column>& out) const;

  [[nodiscard]] const std::vector<sql_type>& types() const noexcept {
    return types_;
  }

  // Chunks, oldest first: index 0 .. chunk_count(). Indexes shift when the oldest is dropped.
  [[nodiscard]] std::uint32_t chunk_count() const noexcept {
    return static_cast<std::uint32_t>(chunks_.size()) - dropped_;
  }

  [[nodiscard]] std::uint32_t rows_in(std::uint32_t chunk) const noexcept {
    return chunks_[dropped_ + chunk].rows;
  }

  /// Number of row `place` of the chunk.
  [[nodiscard]] std::uint32_t row_at(std::uint32_t chunk, std::uint32_t place) const noexcept {
    return (((base_ + dropped_ + chunk) & chunk_mask) << place_bits) | place;
  }

  [[nodiscard]] std::uint32_t chunk_of(std::uint32_t row) const noexcept {
    return (((row >> place_bits) - base_) & chunk_mask) - dropped_;
  }

  [[nodiscard]] static std::uint32_t place_of(std::uint32_t row) noexcept {
    return row & (chunk_rows - 1);
  }

  /// Column k of a chunk, all its rows; arrays are decoded.
  [[nodiscard]] column chunk_column(std::uint32_t chunk, std::size_t k) const;

  void drop_oldest();
  void clear();

  /// Keeps the given rows only and renumbers them: rows[i] becomes the new number of its row.
  void keep_only(std::span<std::uint32_t> rows);

  [[nodiscard]] std::uint64_t rows() const noexcept {
    return rows_;
  }

  /// Bytes of values and text held, roughly.
  [[nodiscard]] std::size_t byte_size() const noexcept {
    return bytes_;
  }

  [[nodiscard]] bool is_null(std::size_t k, std::uint32_t row) const noexcept {
    const auto& c = chunks_[slot_of(row)].columns[k];
    return c.validity && !get_bit(c.validity.as<const std::uint8_t>(), place_of(row));
  }

  /// Value of a fixed-width column; T is its stored type.
  template <class T>
  [[nodiscard]] T value(std::size_t k, std::uint32_t row) const noexcept {
    return static_cast<const T*>(bases_[k][slot_of(row)])[place_of(row)];
  }

  /// Stored column and place of a row, for comparisons (an array is its byte form there).
  [[nodiscard]] const column& stored(std::size_t k, std::uint32_t row) const noexcept {
    return chunks_[slot_of(row)].columns[k];
  }

  [[nodiscard]] bool may_have_nulls(std::size_t k) const noexcept {
    return nulls_[k];
  }

private:
  struct stored_chunk {
    std::uint32_t rows = 0;
    std::uint32_t capacity = 0; ///< 0 = adopted, takes no more
    std::size_t bytes = 0;
    std::vector<column> columns;
    std::uint64_t first_sequence = 0;
    std::uint64_t newest = 0;             ///< sequence
    std::vector<std::uint64_t> sequences; ///< empty = consecutive from `first_sequence`
  };

  [[nodiscard]] std::uint32_t slot_of(std::uint32_t row) const noexcept {
    return ((row >> place_bits) - base_) & chunk_mask;
  }

  [[nodiscard]] bool add_chunk();
  void adopt(const batch& from);
  void give_sequences(stored_chunk& to, std::uint32_t count);
  void set_sequence(std::uint32_t row, std::uint64_t sequence);
  [[nodiscard]] bool make_room();
  void copy_in(stored_chunk& to, std::size_t k, const column& from, const std::uint32_t* picks,
               std::uint32_t first, std::uint32_t count);
  void copy_text(stored_chunk& to, column& into, const column& from, const std::uint32_t* picks,
                 std::uint32_t first, std::uint32_t count);
  void own_bytes(stored_chunk& to, column& into, text_ref* refs, std::uint32_t count);
  char* arena(std::size_t bytes, column& user);
  void attach_heap(column& to, std::size_t k, const std::uint32_t* rows, std::uint32_t count) const;
  [[nodiscard]] column decode_arrays(column bytes, const sql_type& type) const;

  std::vector<sql_type> types_;   ///< as the batches have them
  std::vector<sql_type> storage_; ///< as stored: arrays are bytea
  std::uint32_t adopt_from_;
  std::vector<stored_chunk> chunks_;            ///< the first `dropped_` are empty
  std::vector<std::vector<const void*>> bases_; ///< values of column k in chunk c
  std::vector<std::uint8_t> nulls_;             ///< column k may have NULLs
  std::vector<std::uint8_t> scaled_;            ///< column k may have scales other than its type's
  std::uint32_t base_ = 0;                      ///< number of chunks_[0]
  std::uint32_t dropped_ = 0;
  std::uint64_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::uint64_t next_sequence_ = 0;
  buffer_ptr arena_;
  std::size_t arena_used_ = 0;
  std::size_t arena_next_ = 2048; ///< size of the next arena
  mutable std::vector<std::uint32_t> stamps_;
  mutable std::uint32_t stamp_ = 0;
};

/// Rows 0..rows of `x` that have no NULL in any of `keys`; null = all rows. Fills `picks`
/// otherwise.
[[nodiscard]] bool rows_without_nulls(const batch& x, std::span<const std::uint32_t> keys,
                                      std::vector<std::uint32_t>& picks);

} // namespace ebb
