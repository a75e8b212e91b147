/// Memory of snapshots on their way to the disk.
///
/// It is taken by the thread of a subtask and dropped by one that writes, again and again, so what
/// was dropped is taken next: fresh pages would cost as much as what is written into them. What the
/// snapshots of a while needed waits for the next ones, and no more.
#pragma once

#include <cstddef>
#include <utility>

namespace ebb {

/// A piece of memory, not initialised; null when default constructed. Any thread may drop it.
class chunk_piece {
public:
  /// Bytes of all pieces but those that were asked for with another size.
  static constexpr std::size_t usual_bytes = std::size_t{256} << 10;

  chunk_piece() = default;

  /// `whole`: all of it will be written, so that its pages may be made at once, which halves their
  /// price. Throws std::bad_alloc.
  chunk_piece(std::size_t bytes, bool whole);

  chunk_piece(chunk_piece&& other) noexcept
      : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_) {}

  chunk_piece& operator=(chunk_piece&& other) noexcept {
    std::swap(at_, other.at_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }

  ~chunk_piece();

  [[nodiscard]] char* get() const noexcept {
    return at_;
  }

private:
  char* at_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Called once a snapshot is there: from now on no more waits than was taken at once since the last
/// call but one, and 64 MiB.
void settle_chunks() noexcept;

/// Frees all that waits to be taken again.
void give_chunks_back() noexcept;

} // namespace ebb
