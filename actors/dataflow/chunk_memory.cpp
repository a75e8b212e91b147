#include "actors/dataflow/chunk_memory.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <sys/mman.h>
#include <utility>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t always_kept = (std::size_t{64} << 20) / chunk_piece::usual_bytes;

char* map_memory(std::size_t bytes, bool whole) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | (whole ? MAP_POPULATE : 0), -1, 0);
  if (at == MAP_FAILED)
    throw std::bad_alloc();
  return static_cast<char*>(at);
}

/// Pieces of the usual size.
class piece_pool {
public:
  /// One that nobody has, or a new one. Throws std::bad_alloc.
  char* take(bool whole) {
    {
      const std::lock_guard guard(mutex_);
      // So that `put` needs no memory.
      if (free_.capacity() <= free_.size() + taken_)
        free_.reserve(std::max(2 * free_.capacity(), always_kept));
      most_taken_ = std::max(most_taken_, ++taken_);
      if (!free_.empty()) {
        auto* at = free_.back();
        free_.pop_back();
        return at;
      }
    }
    try {
      return map_memory(chunk_piece::usual_bytes, whole);
    } catch (...) {
      const std::lock_guard guard(mutex_);
      --taken_;
      throw;
    }
  }

  /// False: there are enough, and the piece is the caller's to free.
  bool put(char* at) noexcept {
    const std::lock_guard guard(mutex_);
    --taken_;
    if (free_.size() + taken_ >= wanted() || free_.size() == free_.capacity())
      return false;
    free_.push_back(at);
    return true;
  }

  void settle() noexcept {
    const std::lock_guard guard(mutex_);
    most_taken_before_ = std::exchange(most_taken_, taken_);
  }

  /// One that is too many; null where there is none.
  char* surplus() noexcept {
    const std::lock_guard guard(mutex_);
    if (free_.empty() || free_.size() + taken_ <= wanted())
      return nullptr;
    return last();
  }

  /// Null where none waits.
  char* any() noexcept {
    const std::lock_guard guard(mutex_);
    return free_.empty() ? nullptr : last();
  }

private:
  char* last() noexcept {
    auto* at = free_.back();
    free_.pop_back();
    return at;
  }

  [[nodiscard]] std::size_t wanted() const noexcept {
    return std::max({always_kept, most_taken_, most_taken_before_});
  }

  std::mutex mutex_;
  std::vector<char*> free_; ///< that nobody has
  std::size_t taken_ = 0;
  std::size_t most_taken_ = 0; ///< at once, since the last `settle`
  std::size_t most_taken_before_ = 0;
};

// Never destroyed: threads may end after everything else.
piece_pool& pool() {
  static auto* const made = new piece_pool;
  return *made;
}

} // namespace

chunk_piece::chunk_piece(std::size_t bytes, bool whole) : bytes_(bytes) {
  at_ = bytes == usual_bytes ? pool().take(whole) : map_memory(bytes, whole);
}

chunk_piece::~chunk_piece() {
  if (at_ != nullptr && (bytes_ != usual_bytes || !pool().put(at_)))
    ::munmap(at_, bytes_);
}

void settle_chunks() noexcept {
  pool().settle();
  while (auto* at = pool().surplus())
    ::munmap(at, chunk_piece::usual_bytes);
}

void give_chunks_back() noexcept {
  while (auto* at = pool().any())
    ::munmap(at, chunk_piece::usual_bytes);
}

} // namespace ebb
