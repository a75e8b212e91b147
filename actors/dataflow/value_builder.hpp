/// Columns built one value at a time, of any type, and an exact byte form of single values (for
/// stored state and for keys whose canonical form loses how they were written).
///
/// The byte form keeps scale, -0.0 and the parts of intervals; it has no order. Each value: a tag
/// byte (0 = NULL, 1 = value), then fixed-width little-endian bytes; NUMERIC an i16 scale before
/// its 16 bytes (big values: length and bytes); text a u32 length and bytes; arrays a u32 count and
/// their elements.
#pragma once

#include "schemas/column.hpp"
#include "schemas/error.hpp"

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace ebb {

/// Appends the byte form of value i of `x` to `out`.
void append_value(const column& x, std::uint32_t i, std::string& out);

/// Builds one column. Used by one thread; grows as needed; finish with `take()`.
class value_builder {
public:
  explicit value_builder(sql_type type, std::uint32_t capacity = 16);

  [[nodiscard]] const sql_type& type() const noexcept {
    return type_;
  }

  [[nodiscard]] std::uint32_t rows() const noexcept {
    return rows_;
  }

  void append_null();

  /// T is the stored type of a fixed-width column (not NUMERIC, text or array).
  template <class T>
  void append(T value) {
    if (rows_ == capacity_)
      grow();
    column_.mutable_data<T>()[rows_++] = value;
  }

  void append_text(std::string_view text);
  /// `scale` may be numeric_tag::nan or an infinity.
  void append_numeric(int128 unscaled, std::int16_t scale);
  /// A big NUMERIC by the bytes that its text_ref has; they are copied.
  void append_big(std::string_view bytes);

  /// An array: append its elements to `elements()`, then call `end_array()`.
  [[nodiscard]] value_builder& elements() noexcept {
    return *child_;
  }

  void end_array();

  /// A copy of value i of a column of the same type; text bytes are copied.
  void append_copy(const column& x, std::uint32_t i);

  /// Reads one value of the byte form from the front of `bytes` and removes it.
  [[nodiscard]] result<void> append_encoded(std::string_view& bytes);

  [[nodiscard]] column take();

private:
  void grow();

  sql_type type_;
  std::uint32_t rows_ = 0;
  std::uint32_t capacity_;
  column column_;
  std::optional<text_builder> text_;     ///< text and bytea
  std::unique_ptr<value_builder> child_; ///< arrays
  char* heap_next_ = nullptr;            ///< room for big numerics
  char* heap_end_ = nullptr;
};

} // namespace ebb
