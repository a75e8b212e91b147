/// A dense array of plain values that grows at its end.
///
/// As std::vector, but large ones grow where they are, or by moving pages instead of bytes (the
/// allocator's realloc): while a vector grows it is there twice, and so what a table of all keys
/// takes at most is twice what it needs.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

namespace ebb {

template <class T>
class growing_array {
  static_assert(std::is_trivially_copyable_v<T> && alignof(T) <= alignof(std::max_align_t));

public:
  growing_array() = default;
  growing_array(const growing_array&) = delete;
  growing_array& operator=(const growing_array&) = delete;

  growing_array(growing_array&& other) noexcept
      : values_(std::exchange(other.values_, nullptr)), size_(std::exchange(other.size_, 0)),
        capacity_(std::exchange(other.capacity_, 0)) {}

  growing_array& operator=(growing_array&& other) noexcept {
    std::swap(values_, other.values_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }

  ~growing_array() {
    std::free(values_);
  }

  /// New values are copies of `initial`. Throws std::bad_alloc. Never makes the array smaller.
  void grow(std::size_t size, T initial) {
    if (size <= size_)
      return;
    if (size > capacity_)
      make_room(std::max({size, capacity_ * 2, least}));
    std::fill(values_ + size_, values_ + size, initial);
    size_ = size;
  }

  void push_back(T value) {
    grow(size_ + 1, value);
  }

  /// Keeps its memory.
  void clear() noexcept {
    size_ = 0;
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] std::size_t capacity() const noexcept {
    return capacity_;
  }

  [[nodiscard]] T* data() noexcept {
    return values_;
  }

  [[nodiscard]] const T* data() const noexcept {
    return values_;
  }

  [[nodiscard]] T& operator[](std::size_t i) noexcept {
    return values_[i];
  }

  [[nodiscard]] const T& operator[](std::size_t i) const noexcept {
    return values_[i];
  }

  [[nodiscard]] std::span<const T> all() const noexcept {
    return {values_, size_};
  }

private:
  static constexpr std::size_t least = 16;

  void make_room(std::size_t capacity) {
    auto* const moved = std::realloc(values_, capacity * sizeof(T)); // NOLINT
    if (moved == nullptr)
      throw std::bad_alloc();
    values_ = static_cast<T*>(moved);
    capacity_ = capacity;
  }

  T* values_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

} // namespace ebb
