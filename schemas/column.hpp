/// A column: the values of one attribute of a batch, contiguous, with validity bits.
///
/// Layout by type (`values`, little-endian, 64-byte aligned):
///   BOOLEAN u8 (0 or 1) · SMALLINT i16 · INTEGER, DATE i32 (days since 1970-01-01) · BIGINT i64 ·
///   TIMESTAMP, TIMESTAMPTZ i64 (microseconds since 1970, INT64_MIN/MAX = -infinity/infinity) ·
///   REAL f32 · DOUBLE f64 · INTERVAL interval_value · NUMERIC i128 unscaled value plus a decimal
///   scale (one for the column, or one a value in `scales`) · TEXT, BYTEA, JSONB text_ref ·
///   array u32 offsets (rows + 1) into `child`.
/// DATE uses INT32_MIN/MAX for -infinity/infinity.
#pragma once

#include "schemas/buffer.hpp"
#include "schemas/types.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace ebb {

/// Bytes of one text or bytea value. They belong to a buffer in the column's `heap` (or to memory
/// that lives as long as the process); copying the reference does not copy the bytes.
struct text_ref {
  const char* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t reserved = 0;

  text_ref() = default;

  text_ref(const char* bytes, std::uint32_t count) noexcept : data(bytes), size(count) {}

  text_ref(std::string_view text) noexcept
      : data(text.data()), size(static_cast<std::uint32_t>(text.size())) {}

  [[nodiscard]] std::string_view view() const noexcept {
    return {data, size};
  }
};

static_assert(sizeof(text_ref) == 16 && sizeof(interval_value) == 16);

/// A value type; copying shares the buffers. Immutable once it is part of a batch. Values under a
/// cleared validity bit are unspecified (but text_refs there may be read: their size is 0), except
/// that kernels must not fail on them.
struct column {
  sql_type type;
  std::uint32_t rows = 0;
  /// One stored value (index 0) stands for all `rows` rows. Constants occur only inside expression
  /// evaluation; a batch holds none.
  bool constant = false;
  std::int16_t scale = 0; ///< NUMERIC: scale of all values when `scales` is null
  buffer_ptr values;
  buffer_ptr validity;                 ///< bit i set = value i is not NULL; null = no NULLs
  buffer_ptr scales;                   ///< NUMERIC: i16 scale or numeric_tag a value
  std::vector<buffer_ptr> heap;        ///< keeps alive what text_refs point at
  std::shared_ptr<const column> child; ///< elements of an array column

  template <class T>
  [[nodiscard]] const T* data() const noexcept {
    return values.as<const T>();
  }

  /// For the builder only.
  template <class T>
  [[nodiscard]] T* mutable_data() noexcept {
    return values.as<T>();
  }

  /// Index of the stored value of row i.
  [[nodiscard]] std::uint32_t at(std::uint32_t i) const noexcept {
    return constant ? 0 : i;
  }

  [[nodiscard]] bool has_nulls() const noexcept {
    return static_cast<bool>(validity);
  }

  [[nodiscard]] bool is_null(std::uint32_t i) const noexcept {
    if (!validity)
      return false;
    const auto k = at(i);
    return ((validity.as<const std::uint8_t>()[k >> 3] >> (k & 7)) & 1) == 0;
  }

  [[nodiscard]] std::int16_t scale_of(std::uint32_t i) const noexcept {
    return scales ? scales.as<const std::int16_t>()[at(i)] : scale;
  }

  [[nodiscard]] std::string_view text_of(std::uint32_t i) const noexcept {
    return data<text_ref>()[at(i)].view();
  }
};

/// A column with room for `rows` values, none NULL, uninitialised values (text: empty).
[[nodiscard]] column make_column(sql_type type, std::uint32_t rows);

/// A column of `rows` NULLs.
[[nodiscard]] column make_null_column(sql_type type, std::uint32_t rows);

/// Gives the column validity bits, all set, if it has none; returns them.
std::uint8_t* ensure_validity(column& target);

/// Marks row i NULL. The column must not be shared yet.
void set_null(column& target, std::uint32_t i);

inline void clear_bit(std::uint8_t* bits, std::uint32_t i) noexcept {
  bits[i >> 3] = static_cast<std::uint8_t>(bits[i >> 3] & ~(1U << (i & 7)));
}

inline void set_bit(std::uint8_t* bits, std::uint32_t i) noexcept {
  bits[i >> 3] = static_cast<std::uint8_t>(bits[i >> 3] | (1U << (i & 7)));
}

[[nodiscard]] inline bool get_bit(const std::uint8_t* bits, std::uint32_t i) noexcept {
  return ((bits[i >> 3] >> (i & 7)) & 1) != 0;
}

/// Rows `picks[0..count)` of `source`, dense. Text bytes are shared, not copied. A constant source
/// stays constant.
[[nodiscard]] column gather(const column& source, const std::uint32_t* picks, std::uint32_t count);

/// `count` rows from `first`, dense; fixed-width bytes are copied, text bytes shared.
[[nodiscard]] column slice(const column& source, std::uint32_t first, std::uint32_t count);

/// The rows of all parts, in order. All parts have the same type. Text bytes are shared.
[[nodiscard]] column concatenate(const std::vector<const column*>& parts);

/// A constant column written out, so that it can enter a batch; others are returned as they are.
[[nodiscard]] column materialize(column source);

/// Appends text values to a column under construction: bytes go into large shared heap buffers.
/// Used by one thread. Finish with `take()`.
class text_builder {
public:
  explicit text_builder(sql_type type, std::uint32_t capacity);

  void append(std::string_view text);
  void append_null();

  /// Room for `size` bytes to be filled by the caller and then claimed with `commit`.
  [[nodiscard]] char* reserve(std::size_t size);
  void commit(std::size_t size);

  [[nodiscard]] std::uint32_t rows() const noexcept {
    return column_.rows;
  }

  [[nodiscard]] column take();

private:
  void grow();

  column column_;
  std::uint32_t capacity_;
  char* next_ = nullptr;
  char* end_ = nullptr;
};

} // namespace ebb
