#include "schemas/buffer.hpp"

#include "schemas/assert.hpp"
#include "schemas/buffer_cache.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <linux/membarrier.h>
#include <mutex>
#include <new>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

namespace ebb {

namespace {

// Size classes are powers of two from 256 B; what is larger than the largest is not cached.
constexpr std::size_t smallest_shift = 8;
constexpr std::size_t class_count = 14; // 256 B .. 2 MiB
constexpr std::uint32_t uncached = class_count;
// At most this many bytes of one class wait in one thread's cache: 16 buffers of 128 KiB.
constexpr std::size_t cached_bytes_max = std::size_t{2} << 20;

class thread_cache;

/// All caches, for those who empty them.
struct cache_roll {
  std::mutex mutex;
  std::vector<thread_cache*> all;
};

// Never destroyed: threads may end after everything else.
cache_roll& roll() {
  static auto* const made = new cache_roll;
  return *made;
}

/// Whether the system can make other threads' memory accesses ordered (membarrier); else caches are
/// never emptied by others.
bool can_order_threads() {
  static const bool can =
      ::syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
  return can;
}

/// Used by its thread, which pays two plain stores for that another one can empty it: who empties
/// says so, has the system order all threads, and waits until the thread is not inside.
class thread_cache {
public:
  thread_cache() {
    std::lock_guard guard(roll().mutex);
    roll().all.push_back(this);
  }

  ~thread_cache() {
    {
      std::lock_guard guard(roll().mutex);
      std::erase(roll().all, this);
    }
    clear();
  }

  thread_cache(const thread_cache&) = delete;
  thread_cache& operator=(const thread_cache&) = delete;

  /// Null where there is none.
  void* take(std::size_t index) noexcept {
    void* block = nullptr;
    if (enter()) {
      auto& blocks = free_[index];
      if (!blocks.empty()) {
        block = blocks.back();
        blocks.pop_back();
      }
    }
    leave();
    return block;
  }

  /// False: it is full.
  bool put(std::size_t index, std::size_t size, void* block) {
    bool kept = false;
    if (enter()) {
      auto& blocks = free_[index];
      kept = blocks.size() * size < cached_bytes_max;
      if (kept)
        blocks.push_back(block);
    }
    leave();
    return kept;
  }

  // By another thread, with the roll's lock.

  void close() noexcept {
    closed_.store(true, std::memory_order_relaxed);
  }

  /// Behind `close` and the ordering of threads.
  void empty() noexcept {
    while (inside_.load(std::memory_order_acquire))
      ::sched_yield();
    clear();
    closed_.store(false, std::memory_order_release);
  }

  [[nodiscard]] std::size_t byte_size() noexcept {
    while (inside_.load(std::memory_order_acquire))
      ::sched_yield();
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < class_count; ++i)
      bytes += free_[i].size() << (i + smallest_shift);
    closed_.store(false, std::memory_order_release);
    return bytes;
  }

private:
  [[nodiscard]] bool enter() noexcept {
    inside_.store(true, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return !closed_.load(std::memory_order_acquire);
  }

  void leave() noexcept {
    inside_.store(false, std::memory_order_release);
  }

  void clear() noexcept {
    for (auto& blocks : free_) {
      for (void* block : blocks)
        ::operator delete (block, std::align_val_t{alignof(buffer)});
      blocks.clear();
      blocks.shrink_to_fit();
    }
  }

  std::atomic<bool> inside_ = false;
  std::atomic<bool> closed_ = false;
  std::array<std::vector<void*>, class_count> free_;
};

/// Closes all caches and has every thread see it; then calls `use` for each.
template <class Use>
void with_closed_caches(const Use& use) noexcept {
  if (!can_order_threads())
    return;
  std::lock_guard guard(roll().mutex);
  for (auto* x : roll().all)
    x->close();
  static_cast<void>(::syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
  for (auto* x : roll().all)
    use(*x);
}

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

void give_buffers_back() noexcept {
  with_closed_caches([](thread_cache& x) { x.empty(); });
}

std::size_t kept_buffer_bytes() noexcept {
  std::size_t bytes = 0;
  with_closed_caches([&](thread_cache& x) { bytes += x.byte_size(); });
  return bytes;
}

buffer_ptr buffer_ptr::make(std::size_t bytes) {
  std::size_t shift = bytes <= (std::size_t{1} << smallest_shift)
                          ? smallest_shift
                          : static_cast<std::size_t>(std::bit_width(bytes - 1));
  const std::size_t index = shift - smallest_shift;
  const bool cached = index < class_count;
  const std::size_t size = cached ? std::size_t{1} << shift : bytes;
  void* block = nullptr;
  if (cached && !cache_dead)
    block = owner.cache.take(index);
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
  if (index != uncached && !cache_dead && owner.cache.put(index, size, target))
    return;
  ::operator delete (target, std::align_val_t{alignof(buffer)});
}

} // namespace ebb
