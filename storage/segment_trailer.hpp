/// The end of a segment file: what it is, and how to trust its other bytes.
///
/// File, version 1 (little-endian): LMDB's pages | filter | body | tail. The body is the fields of
/// `segment_trailer` in their order. The tail is version u32, page size u32, body's offset u64,
/// body's length u64, XXH3-128 of body and the tail so far (16 bytes: the segment's digest), and 8
/// bytes of magic. Bytes before the body are covered by the hashes of the blocks. A later version
/// may change the body, not the tail.
#pragma once

#include "schemas/error.hpp"
#include "storage/segment.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

inline constexpr std::uint32_t segment_version = 1;
inline constexpr std::size_t segment_tail_bytes = 48;

/// What kinds of bytes a block holds; bits.
enum block_content : std::uint8_t {
  block_has_meta = 1,
  block_has_branches = 2,
  block_has_leaves = 4,
  block_has_overflow = 8, ///< large values
  block_has_filter = 16,
};

/// Consecutive leaves for which LMDB passes through the same blocks: one a level of the tree.
struct leaf_run {
  std::string_view first_key;    ///< stored key; owned by the trailer
  std::uint32_t first_block = 0; ///< index into `run_blocks`
};

struct segment_trailer {
  segment_identity identity;
  std::uint64_t puts = 0;
  std::uint64_t erases = 0;
  std::uint64_t erased_prefixes = 0;
  std::uint64_t page_area_bytes = 0; ///< LMDB's pages; the filter begins here
  std::uint64_t filter_bytes = 0;
  std::vector<std::uint8_t> block_contents; ///< a byte of `block_content` a block
  std::vector<digest128> block_hashes;
  std::vector<std::uint32_t> open_blocks; ///< needed before any entry can be looked for
  std::uint8_t depth = 0;                 ///< levels of the tree, root to leaf
  std::vector<leaf_run> runs;             ///< in key order
  std::vector<std::uint32_t> run_blocks;  ///< `depth` a run

  // Of the tail.
  std::uint32_t page_bytes = 0;
  std::uint64_t body_offset = 0; ///< end of the last block
  digest128 digest;

  /// What `first_key` of the runs refers to. Behind a pointer, so that a moved trailer stays whole.
  std::unique_ptr<std::string> key_bytes = std::make_unique<std::string>();
};

[[nodiscard]] digest128 hash_bytes(std::string_view bytes) noexcept;

/// Body and tail; sets `digest`.
[[nodiscard]] std::string encode_trailer(segment_trailer& trailer);

/// Where the body lies.
struct segment_tail {
  std::uint64_t body_offset = 0;
  std::uint64_t body_bytes = 0;
};

/// Reads the last `segment_tail_bytes` of a file of `file_bytes`. `path` is for errors.
[[nodiscard]] result<segment_tail> read_tail(std::string_view tail, std::uint64_t file_bytes,
                                             const std::string& path);

/// Reads body and tail (in one piece) after checking their hash.
[[nodiscard]] result<segment_trailer> read_trailer(std::string body_and_tail,
                                                   const std::string& path);

} // namespace ebb
