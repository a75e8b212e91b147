/// Bytes of a state entry that is being put together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>
#include <type_traits>

namespace ebb {

/// Grows at its end like a text, but what it grows by is not zeroed first: most of what a save
/// writes goes through here.
class pack_bytes {
public:
  /// `count` more bytes, to be filled.
  [[nodiscard]] char* more(std::size_t count) {
    if (room_ - size_ < count)
      widen(count);
    auto* at = bytes_.get() + size_;
    size_ += count;
    return at;
  }

  void append(std::string_view bytes) {
    if (auto* to = more(bytes.size()); !bytes.empty())
      std::memcpy(to, bytes.data(), bytes.size());
  }

  /// As it is in memory.
  template <class T>
  void append_raw(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::memcpy(more(sizeof value), &value, sizeof value);
  }

  void clear() noexcept {
    size_ = 0;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  /// Valid until it changes.
  [[nodiscard]] std::string_view view() const noexcept {
    return {bytes_.get(), size_};
  }

private:
  static constexpr std::size_t least_room = 256;

  void widen(std::size_t count) {
    const auto room = std::max({least_room, 2 * room_, size_ + count});
    auto wider = std::make_unique_for_overwrite<char[]>(room);
    if (size_ != 0)
      std::memcpy(wider.get(), bytes_.get(), size_);
    bytes_ = std::move(wider);
    room_ = room;
  }

  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
  std::size_t room_ = 0;
};

} // namespace ebb
