/// Output bytes in blocks, and fast text of fixed-width values.
#pragma once

#include "schemas/buffer.hpp"
#include "schemas/types.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string_view>

namespace ebb {

/// Bytes ready to be written.
struct output_block {
  buffer_ptr memory;
  std::size_t size = 0;
};

/// Collects text in blocks of about 256 KiB. Used by one thread.
class output_buffer {
public:
  static constexpr std::size_t block_size = std::size_t{256} << 10;

  /// Room for `size` bytes; what is written there is claimed by `advance`.
  [[nodiscard]] char* reserve(std::size_t size) {
    if (static_cast<std::size_t>(end_ - next_) < size || next_ == nullptr)
      grow(size);
    return next_;
  }

  void advance(char* to) noexcept {
    total_ += static_cast<std::uint64_t>(to - next_);
    next_ = to;
  }

  void append(std::string_view text) {
    char* to = reserve(text.size());
    std::memcpy(to, text.data(), text.size());
    advance(to + text.size());
  }

  /// Bytes taken in all.
  [[nodiscard]] std::uint64_t total() const noexcept {
    return total_;
  }

  /// Bytes taken and not popped.
  [[nodiscard]] std::size_t pending() const noexcept {
    return static_cast<std::size_t>(total_ - popped_);
  }

  /// A full block, or with `partial` also the one being filled; size 0 = there is none.
  [[nodiscard]] output_block pop(bool partial);

  /// No block holds both what is there and what comes.
  void cut();

private:
  void grow(std::size_t size);

  std::deque<output_block> full_;
  buffer_ptr memory_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::uint64_t total_ = 0;
  std::uint64_t popped_ = 0;
};

/// Each writes at most `fixed_text_max` bytes and returns the end.
inline constexpr std::size_t fixed_text_max = 64;

[[nodiscard]] char* write_int(std::int64_t value, char* out) noexcept;
/// The shortest text that reads back equal; NaN, Infinity, -Infinity.
[[nodiscard]] char* write_double(double value, char* out) noexcept;
[[nodiscard]] char* write_real(float value, char* out) noexcept;
/// `2013-01-01T05:00:00.5`, `infinity`; with `utc` a Z behind.
[[nodiscard]] char* write_timestamp(micros time, bool utc, char* out);
[[nodiscard]] char* write_date(std::int32_t days, char* out);

} // namespace ebb
