/// Reads one finished segment through LMDB, trusting no byte of it before its checksum has held.
///
/// Opening compares the file's size, then verifies the trailer and the blocks that LMDB opens.
/// Every other block is verified once, before LMDB or the caller may see it; so damage is an error
/// that names the block, never a wrong value. A reader, its cursors and their views are used by one
/// thread at a time; opening is cheap, so threads open their own.
#pragma once

#include "schemas/error.hpp"
#include "storage/erased_prefixes.hpp"
#include "storage/files.hpp"
#include "storage/lmdb.hpp"
#include "storage/segment_key.hpp"
#include "storage/segment_trailer.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

/// What a checkpoint record says about the file; anything else is refused.
struct segment_expectation {
  segment_info info;
  std::string stream_uid;
  std::uint16_t key_groups = 128;
};

/// Bytes of a segment whose file may lack them, from `offset`: `least` or more, at most `most`.
using segment_fetch = std::function<result<std::string>(std::uint64_t offset, std::uint64_t least,
                                                        std::uint64_t most)>;

class segment_cursor;

class segment_reader {
public:
  /// Errors: ec::not_found (missing), ec::corrupt (cut, damaged), ec::unsupported (newer version),
  /// ec::conflict (another stream's, other key groups, another file), ec::io.
  /// With `fetch`, the file has the right size and ends in its trailer; other blocks that are not
  /// what the trailer says are fetched, and written to the file, before they count as damaged.
  [[nodiscard]] static result<std::unique_ptr<segment_reader>>
  open(const std::string& path, const segment_expectation& expected, segment_fetch fetch = {});

  /// Without a record to compare with; for tools that look at a file as it is.
  [[nodiscard]] static result<std::unique_ptr<segment_reader>> open(const std::string& path);

  segment_reader(const segment_reader&) = delete;
  segment_reader& operator=(const segment_reader&) = delete;
  ~segment_reader();

  /// The put or erase of this key in this segment, if any. The views live as long as the reader.
  [[nodiscard]] result<std::optional<segment_entry>> get(std::uint16_t key_group,
                                                         std::uint16_t state, std::string_view key);

  /// The same by stored key, for callers that ask several segments. `hash` is its filter_hash.
  [[nodiscard]] result<std::optional<segment_entry>> get(const stored_key& stored,
                                                         std::uint64_t hash, std::string_view key);

  /// All puts and erases of these key groups, in order.
  [[nodiscard]] result<segment_cursor> scan(std::uint16_t first_key_group,
                                            std::uint16_t last_key_group);

  /// Keys of older segments that this one hides.
  [[nodiscard]] const erased_prefixes& hidden() const noexcept {
    return hidden_;
  }

  /// Verifies what has not been verified yet. Reads the whole file.
  [[nodiscard]] result<void> verify_all();

  [[nodiscard]] const segment_info& info() const noexcept {
    return info_;
  }

  [[nodiscard]] const segment_trailer& trailer() const noexcept {
    return trailer_;
  }

private:
  friend class segment_cursor;

  segment_reader(owned_file file, segment_trailer trailer, segment_fetch fetch);

  static result<std::unique_ptr<segment_reader>> open(owned_file file, std::uint64_t bytes,
                                                      segment_fetch fetch);
  result<void> open_pages();
  result<void> read_hidden();
  result<void> check(const segment_expectation& expected) const;
  result<void> verify(std::uint32_t block);
  [[nodiscard]] error damaged(std::uint32_t block) const;
  result<void> verify_run(std::size_t run);
  result<void> verify_bytes(const char* bytes, std::size_t size);
  [[nodiscard]] std::size_t run_of(std::string_view stored) const noexcept;
  result<bool> may_contain(std::uint64_t hash);
  result<segment_entry> entry_at(const lmdb_cursor& cursor);
  [[nodiscard]] error damaged(const std::string& what) const;

  owned_file file_;
  segment_trailer trailer_;
  segment_fetch fetch_; ///< null: the file is whole
  segment_info info_;
  std::optional<lmdb_environment> environment_;
  std::optional<lmdb_transaction> transaction_;
  std::optional<lmdb_cursor> point_; ///< of `get`
  lmdb_database database_{};
  erased_prefixes hidden_;

  std::vector<bool> verified_; ///< a bit a block
  std::size_t unverified_ = 0;
  std::string block_;            ///< scratch of `verify`
  const char* pages_ = nullptr;  ///< where LMDB has mapped the file; known after the first read
  const char* filter_ = nullptr; ///< our own map of the filter
  std::size_t filter_map_bytes_ = 0;
};

/// A place in a segment's order. May not outlive its reader.
class segment_cursor {
public:
  /// To the next put or erase; false at the end of the key groups.
  [[nodiscard]] result<bool> next();

  /// Lets `next` go on at the first entry that is not less.
  void seek(std::uint16_t key_group, std::uint16_t state, std::string_view key);

  /// Valid after `next` has given true, until the next call.
  [[nodiscard]] const segment_entry& entry() const noexcept {
    return entry_;
  }

  /// What entries are ordered by, across segments as well.
  [[nodiscard]] std::string_view stored() const noexcept {
    return cursor_.key();
  }

private:
  friend class segment_reader;

  segment_cursor(segment_reader& reader, lmdb_cursor cursor, std::uint16_t last_key_group)
      : reader_(&reader), cursor_(std::move(cursor)), last_key_group_(last_key_group) {}

  segment_reader* reader_;
  lmdb_cursor cursor_;
  std::uint16_t last_key_group_;
  std::string target_; ///< where `next` begins; empty once begun
  std::size_t run_ = 0;
  segment_entry entry_;
};

} // namespace ebb
