/// Bytes of a link to frames: a length (u32, little-endian), then so many bytes, one message. Pure.
#pragma once

#include "schemas/buffer.hpp"
#include "schemas/error.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ebb {

/// Longest message: a row of 16 MiB fits, with what is around it.
inline constexpr std::size_t link_message_max = std::size_t{20} << 20;

inline constexpr std::size_t frame_head_bytes = 4;

/// Puts `length` before a message.
[[nodiscard]] std::array<std::byte, frame_head_bytes> frame_head(std::uint32_t length) noexcept;

class frame_reader {
public:
  struct frame {
    buffer_ptr bytes;
    std::size_t size = 0;
  };

  /// Where the rest of a long body may be read into; empty: give bytes to `feed`.
  [[nodiscard]] std::span<std::byte> room() noexcept;

  /// So many bytes are in `room`.
  void filled(std::size_t bytes) noexcept;

  /// Takes bytes up to the end of a frame, and says how many. ec::corrupt: the length is not that
  /// of a message, or above `link_message_max`; nothing was allocated for it, and the rest of the
  /// bytes means nothing.
  [[nodiscard]] result<std::size_t> feed(std::span<const std::byte> bytes);

  /// A frame is there; no bytes are taken before it is.
  [[nodiscard]] bool complete() const noexcept {
    return body_ && have_ == size_;
  }

  [[nodiscard]] frame take() noexcept;

private:
  std::array<std::byte, frame_head_bytes> head_{};
  std::size_t head_have_ = 0;
  buffer_ptr body_; ///< null: the head is not there yet
  std::size_t size_ = 0;
  std::size_t have_ = 0;
};

} // namespace ebb
