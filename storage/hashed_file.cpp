#include "storage/hashed_file.hpp"

#include "schemas/assert.hpp"
#include "storage/segment.hpp"
#include "storage/segment_trailer.hpp"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace ebb {

namespace {

// Not touched, and no memory, before bytes come.
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
static_assert(buffer_bytes % segment_block_bytes == 0);

constexpr std::uint64_t least_room = std::uint64_t{4} << 20;
constexpr std::uint64_t most_room = std::uint64_t{16} << 20; ///< asked for at once

} // namespace

hashed_file::hashed_file(owned_file& file)
    : file_(&file), buffer_(new char[buffer_bytes]), block_hashes_(1) {}

result<void> hashed_file::put(std::string_view bytes) {
  while (!bytes.empty()) {
    if (used_ == buffer_bytes)
      EBB_TRY(write_out());
    const auto some = std::min(bytes.size(), buffer_bytes - used_);
    std::memcpy(buffer_.get() + used_, bytes.data(), some);
    used_ += some;
    bytes.remove_prefix(some);
  }
  return {};
}

result<void> hashed_file::put_zeros(std::size_t count) {
  while (count != 0) {
    if (used_ == buffer_bytes)
      EBB_TRY(write_out());
    const auto some = std::min(count, buffer_bytes - used_);
    std::memset(buffer_.get() + used_, 0, some);
    used_ += some;
    count -= some;
  }
  return {};
}

result<void> hashed_file::replace_front(std::string_view bytes) {
  EBB_ASSERT(hashes_ && bytes.size() <= segment_block_bytes && bytes.size() <= size());
  if (written_ == 0) {
    std::memcpy(buffer_.get(), bytes.data(), bytes.size());
    return {};
  }
  std::memcpy(front_.data(), bytes.data(), bytes.size());
  return file_->write_at(0, bytes);
}

// Whole blocks of the buffer, but for the file's first one, which may change until the end.
void hashed_file::hash_blocks(bool all) {
  if (written_ == 0 && hashed_ == 0)
    hashed_ = std::min(segment_block_bytes, used_);
  while (hashed_ < used_ && (all || used_ - hashed_ >= segment_block_bytes)) {
    const auto some = std::min(segment_block_bytes, used_ - hashed_);
    block_hashes_.push_back(hash_bytes({buffer_.get() + hashed_, some}));
    hashed_ += some;
  }
}

std::vector<digest128> hashed_file::end_blocks() {
  EBB_ASSERT(hashes_ && size() != 0);
  const auto front = written_ != 0
                         ? std::string_view{front_}
                         : std::string_view{buffer_.get(), std::min(segment_block_bytes, used_)};
  block_hashes_.front() = hash_bytes(front);
  hash_blocks(true);
  hashes_ = false;
  return std::move(block_hashes_);
}

// Advice: a file system that cannot, or has no more room, says so when the bytes come.
void hashed_file::ask_for_room() {
  if (!asks_for_room_ || used_ < buffer_bytes || written_ + used_ <= room_)
    return;
  const auto more = std::clamp(room_, least_room, most_room);
  asks_for_room_ = ::fallocate(file_->descriptor(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(room_),
                               static_cast<off_t>(more))
                   == 0;
  if (asks_for_room_)
    room_ += more;
}

result<void> hashed_file::write_out() {
  if (hashes_)
    hash_blocks(false);
  if (written_ == 0)
    front_.assign(buffer_.get(), std::min(segment_block_bytes, used_));
  ask_for_room();
  EBB_TRY(file_->write_at(written_, {buffer_.get(), used_}));
  written_ += used_;
  used_ = 0;
  hashed_ = 0;
  return {};
}

result<void> hashed_file::flush() {
  EBB_ASSERT(!hashes_);
  if (used_ != 0)
    EBB_TRY(write_out());
  if (room_ > written_ && ::ftruncate(file_->descriptor(), static_cast<off_t>(written_)) != 0)
    return system_error(file_->path(), "truncate");
  return {};
}

} // namespace ebb
