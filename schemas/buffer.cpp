#include "schemas/buffer.hpp"

#include "schemas/assert.hpp"

#include <array>
#include <bit>
#include <new>
#include <vector>

namespace ebb {

namespace {

// Size classes are powers of two from 256 B; what is larger than the largest is not cached.
constexpr std::size_t smallest_shift = 8;
constexpr std::size_t class_count = 14; // 256 B .. 2 MiB
constexpr std::uint32_t uncached = class_count;
// At most this many bytes of one class wait in one thread's cache: 16 buffers of 128 KiB.
constexpr std::size_t cached_bytes_max = std::size_t{2} << 20;

struct thread_cache {
  std::array<std::vector<void*>, class_count> free;

  ~thread_cache() {
    for (auto& blocks : free)
      for (void* block : blocks)
        ::operator delete (block, std::align_val_t{alignof(buffer)});
  }
};

// True once this thread's cache is destroyed, so that buffers dropped by later destructors of the
// thread go straight back to the allocator.
thread_local bool cache_dead = false;

struct cache_owner {
  thread_cache cache;

  ~cache_owner() {
    cache_dead = true;
  }
};

thread_local cache_owner owner;

} // namespace

buffer_ptr buffer_ptr::make(std::size_t bytes) {
  std::size_t shift = bytes <= (std::size_t{1} << smallest_shift)
                          ? smallest_shift
                          : static_cast<std::size_t>(std::bit_width(bytes - 1));
  const std::size_t index = shift - smallest_shift;
  const bool cached = index < class_count;
  const std::size_t size = cached ? std::size_t{1} << shift : bytes;
  void* block = nullptr;
  if (cached && !cache_dead) {
    auto& blocks = owner.cache.free[index];
    if (!blocks.empty()) {
      block = blocks.back();
      blocks.pop_back();
    }
  }
  if (block == nullptr)
    block = ::operator new (sizeof(buffer) + size, std::align_val_t{alignof(buffer)});
  auto* header = new (block) buffer;
  header->size_ = size;
  header->size_class_ = cached ? static_cast<std::uint32_t>(index) : uncached;
  buffer_ptr result;
  result.target_ = header;
  result.data_ = header->data();
  result.size_ = size;
  return result;
}

void buffer_ptr::release(buffer* target) noexcept {
  const auto index = target->size_class_;
  const auto size = target->size_;
  target->~buffer();
  if (index != uncached && !cache_dead) {
    auto& blocks = owner.cache.free[index];
    if (blocks.size() * size < cached_bytes_max) {
      blocks.push_back(target);
      return;
    }
  }
  ::operator delete (target, std::align_val_t{alignof(buffer)});
}

} // namespace ebb
