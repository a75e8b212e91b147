/// How entries are named inside a segment: keys that sort bytewise as (key group, state, key).
///
/// Stored key = area (1 byte), key group and state (2 bytes each, big-endian), key. Where that is
/// more than `stored_key_max` bytes, it is cut there, 16 bytes of hash follow, and the full key
/// stands in the value: such keys sort by hash among those with the same first bytes.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ebb {

inline constexpr std::size_t stored_key_max = 480;

enum class segment_area : std::uint8_t { entries = 0, erased_prefixes = 1 };

class stored_key {
public:
  static constexpr std::size_t prefix_bytes = 5;

  stored_key(segment_area area, std::uint16_t key_group, std::uint16_t state,
             std::string_view key) noexcept;

  [[nodiscard]] std::string_view view() const noexcept {
    return {bytes_.data(), size_};
  }

  [[nodiscard]] bool is_long() const noexcept {
    return size_ > stored_key_max;
  }

private:
  std::array<char, stored_key_max + 16> bytes_;
  std::size_t size_;
};

/// What a stored key says about itself; `key` lacks its end where `is_long`.
struct stored_key_parts {
  segment_area area = segment_area::entries;
  std::uint16_t key_group = 0;
  std::uint16_t state = 0;
  std::string_view key;
  bool is_long = false;
};

/// `stored` has at least `stored_key::prefix_bytes` bytes.
[[nodiscard]] stored_key_parts split_stored_key(std::string_view stored) noexcept;

} // namespace ebb
