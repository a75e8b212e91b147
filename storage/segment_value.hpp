/// How an entry's value is stored: kind and flags u8, schema version u8, then for long keys the
/// key's length u32 and the whole key, then the value.
#pragma once

#include "schemas/sized_text.hpp"
#include "storage/segment.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace ebb {

struct stored_value {
  static constexpr std::size_t header_bytes = 2;
  static constexpr std::uint8_t kind_bits = 0x03;
  static constexpr std::uint8_t long_key_bit = 0x04;

  entry_kind kind = entry_kind::put;
  std::uint8_t version = 0;
  std::optional<std::string_view> long_key;
  std::string_view value;

  [[nodiscard]] std::size_t bytes() const noexcept {
    return header_bytes + (long_key ? sizeof(std::uint32_t) + long_key->size() : 0) + value.size();
  }

  /// Replaces `to` by what stands before the value.
  void write_head(std::string& to) const {
    to.assign(1,
              static_cast<char>(static_cast<std::uint8_t>(kind) | (long_key ? long_key_bit : 0)));
    to.push_back(static_cast<char>(version));
    if (!long_key)
      return;
    const auto size = static_cast<std::uint32_t>(long_key->size());
    to.append(reinterpret_cast<const char*>(&size), sizeof size);
    to.append(*long_key);
  }

  /// Nothing where the bytes are none that `write` makes.
  [[nodiscard]] static std::optional<stored_value> read(std::string_view bytes) noexcept {
    if (bytes.size() < header_bytes)
      return std::nullopt;
    const auto flags = static_cast<std::uint8_t>(bytes[0]);
    stored_value x;
    if ((flags & kind_bits) > static_cast<std::uint8_t>(entry_kind::erase_prefix))
      return std::nullopt;
    x.kind = static_cast<entry_kind>(flags & kind_bits);
    x.version = static_cast<std::uint8_t>(bytes[1]);
    bytes.remove_prefix(header_bytes);
    if ((flags & long_key_bit) != 0) {
      const auto key = take_sized(bytes);
      if (!key)
        return std::nullopt;
      x.long_key = *key;
    }
    x.value = bytes;
    return x;
  }
};

} // namespace ebb
