#include "actors/dataflow/chunk_memory.hpp"

#include <mutex>
#include <new>
#include <sys/mman.h>
#include <vector>

namespace ebb {

namespace {

constexpr std::size_t kept_bytes_max = std::size_t{64} << 20;

char* map_memory(std::size_t bytes, bool whole) {
  void* const at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | (whole ? MAP_POPULATE : 0), -1, 0);
  if (at == MAP_FAILED)
    throw std::bad_alloc();
  return static_cast<char*>(at);
}

/// Pieces of the usual size that nobody has.
class piece_pool {
public:
  piece_pool() {
    free_.reserve(kept_bytes_max / chunk_piece::usual_bytes);
  }

  /// Null where there is none.
  char* take() noexcept {
    const std::lock_guard guard(mutex_);
    if (free_.empty())
      return nullptr;
    auto* at = free_.back();
    free_.pop_back();
    return at;
  }

  /// False: there are enough.
  bool put(char* at) noexcept {
    const std::lock_guard guard(mutex_);
    if (free_.size() == free_.capacity())
      return false;
    free_.push_back(at);
    return true;
  }

private:
  std::mutex mutex_;
  std::vector<char*> free_;
};

// Never destroyed: threads may end after everything else.
piece_pool& pool() {
  static auto* const made = new piece_pool;
  return *made;
}

} // namespace

chunk_piece::chunk_piece(std::size_t bytes, bool whole) : bytes_(bytes) {
  at_ = bytes == usual_bytes ? pool().take() : nullptr;
  if (at_ == nullptr)
    at_ = map_memory(bytes, whole);
}

chunk_piece::~chunk_piece() {
  if (at_ != nullptr && (bytes_ != usual_bytes || !pool().put(at_)))
    ::munmap(at_, bytes_);
}

void give_chunks_back() noexcept {
  while (auto* at = pool().take())
    ::munmap(at, chunk_piece::usual_bytes);
}

} // namespace ebb
