/// Little-endian numbers and counted texts in a run of bytes.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ebb {

static_assert(std::endian::native == std::endian::little, "disk formats are written as in memory");

/// Appends to a text.
class byte_writer {
public:
  template <std::unsigned_integral T>
  void number(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  void raw(std::string_view bytes) {
    bytes_.append(bytes);
  }

  /// u16 length and bytes.
  void text(std::string_view bytes) {
    number(static_cast<std::uint16_t>(bytes.size()));
    raw(bytes);
  }

  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

private:
  std::string bytes_;
};

/// Takes from the front of a view. Reading past the end gives zeros and clears `sound`.
class byte_reader {
public:
  explicit byte_reader(std::string_view bytes) : bytes_(bytes) {}

  template <std::unsigned_integral T>
  [[nodiscard]] T number() noexcept {
    T value = 0;
    if (const auto from = raw(sizeof value); !from.empty())
      std::memcpy(&value, from.data(), sizeof value);
    return value;
  }

  [[nodiscard]] std::string_view raw(std::size_t size) noexcept {
    if (size > bytes_.size()) {
      sound_ = false;
      bytes_ = {};
      return {};
    }
    const auto front = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return front;
  }

  [[nodiscard]] std::string_view text() noexcept {
    return raw(number<std::uint16_t>());
  }

  [[nodiscard]] std::size_t left() const noexcept {
    return bytes_.size();
  }

  [[nodiscard]] bool sound() const noexcept {
    return sound_;
  }

private:
  std::string_view bytes_;
  bool sound_ = true;
};

} // namespace ebb
