/// Reference-counted, 64-byte aligned memory of columns.
///
/// A buffer is written by the one thread that made it and is immutable once it is part of a batch;
/// then any thread may read it and drop it. Freed buffers go to a cache of the dropping thread, so
/// that a pipeline at load works in memory that is still in the processor's cache.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace ebb {

class buffer_ptr;

/// Header of the memory; the bytes follow it. Use `buffer_ptr`.
class alignas(64) buffer {
public:
  [[nodiscard]] std::byte* data() noexcept {
    return reinterpret_cast<std::byte*>(this + 1);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return size_;
  }

private:
  friend class buffer_ptr;

  std::atomic<std::uint32_t> references_{1};
  std::uint32_t size_class_ = 0;
  std::size_t size_ = 0; ///< usable bytes, rounded up to the size class
};

/// Shared ownership of a buffer, or of a part of it; null when default constructed.
class buffer_ptr {
public:
  buffer_ptr() = default;

  /// At least `bytes` bytes, uninitialised. Aborts when memory is exhausted.
  [[nodiscard]] static buffer_ptr make(std::size_t bytes);

  /// `count` values of T, uninitialised.
  template <class T>
  [[nodiscard]] static buffer_ptr of(std::size_t count) {
    return make(count * sizeof(T));
  }

  /// `size` bytes of `whole` from `offset`; keeps the whole alive. Aligned as the offset is.
  [[nodiscard]] static buffer_ptr part(const buffer_ptr& whole, std::size_t offset,
                                       std::size_t size) noexcept {
    buffer_ptr result{whole};
    result.data_ += offset;
    result.size_ = size;
    return result;
  }

  buffer_ptr(const buffer_ptr& other) noexcept
      : target_(other.target_), data_(other.data_), size_(other.size_) {
    if (target_ != nullptr)
      target_->references_.fetch_add(1, std::memory_order_relaxed);
  }

  buffer_ptr(buffer_ptr&& other) noexcept
      : target_(std::exchange(other.target_, nullptr)), data_(other.data_), size_(other.size_) {}

  buffer_ptr& operator=(buffer_ptr other) noexcept {
    std::swap(target_, other.target_);
    data_ = other.data_;
    size_ = other.size_;
    return *this;
  }

  ~buffer_ptr() {
    if (target_ != nullptr && target_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      release(target_);
  }

  explicit operator bool() const noexcept {
    return target_ != nullptr;
  }

  /// Same memory.
  bool operator==(const buffer_ptr& other) const noexcept {
    return target_ == other.target_ && (target_ == nullptr || data_ == other.data_);
  }

  [[nodiscard]] std::size_t size() const noexcept {
    return target_ == nullptr ? 0 : size_;
  }

  /// The bytes as an array of T. Write only while no other thread can see the buffer.
  template <class T>
  [[nodiscard]] T* as() const noexcept {
    return reinterpret_cast<T*>(data_);
  }

private:
  static void release(buffer* target) noexcept;

  buffer* target_ = nullptr;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace ebb
