/// A file that is written front to back, in large pieces, and hashed block by block on the way.
///
/// Bytes gather in one buffer that stays in the processor's cache: each is copied there, hashed
/// there, and handed to the system from there. Where much is written, the file's room is asked for
/// ahead of the writes, which halves what they cost.
#pragma once

#include "schemas/segment_info.hpp"
#include "storage/files.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Used by one thread at a time. After an error only destruction is allowed.
class hashed_file {
public:
  /// `file` is empty, and outlives this.
  explicit hashed_file(owned_file& file);

  /// Bytes so far.
  [[nodiscard]] std::uint64_t size() const noexcept {
    return written_ + used_;
  }

  [[nodiscard]] const std::string& path() const noexcept {
    return file_->path();
  }

  [[nodiscard]] result<void> put(std::string_view bytes);
  [[nodiscard]] result<void> put_zeros(std::size_t count);

  /// Replaces the file's first bytes, at most a block of them, which were put before.
  [[nodiscard]] result<void> replace_front(std::string_view bytes);

  /// Ends the hashing: the hashes (XXH3-128) of all blocks of `segment_block_bytes`, of which the
  /// last one may be shorter. `replace_front` is not allowed any more.
  [[nodiscard]] std::vector<digest128> end_blocks();

  /// After `end_blocks`: more may be put, which is not hashed. Hands all to the system and gives
  /// back room that was asked for too much.
  [[nodiscard]] result<void> flush();

private:
  result<void> write_out();
  void ask_for_room();
  void hash_blocks(bool all);

  owned_file* file_;
  std::unique_ptr<char[]> buffer_;
  std::size_t used_ = 0;
  std::size_t hashed_ = 0;    ///< bytes of the buffer that are hashed, or never will be
  std::uint64_t written_ = 0; ///< bytes before the buffer
  std::uint64_t room_ = 0;    ///< asked for
  bool asks_for_room_ = true;
  bool hashes_ = true;
  std::string front_; ///< the first block, once it is no longer in the buffer
  std::vector<digest128> block_hashes_;
};

} // namespace ebb
