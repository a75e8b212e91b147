/// Writes one segment.
///
/// The file grows under a temporary name in its folder; `finish` syncs it, gives it its name
/// without replacing any file, and syncs the folder. Until then nothing names it: a crash or an
/// error leaves at most a temporary file. Memory: 8 bytes an entry, each leaf's first key, and a
/// MiB.
///
/// The pages are LMDB's, but not written by it (page_writer.hpp).
#pragma once

#include "schemas/error.hpp"
#include "storage/erased_prefixes.hpp"
#include "storage/files.hpp"
#include "storage/hashed_file.hpp"
#include "storage/page_writer.hpp"
#include "storage/segment.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ebb {

struct segment_trailer;

/// What the names of files that are being written contain: `NAME.tmp-XXXXXX`.
inline constexpr const char* segment_temporary_mark = ".tmp-";

/// Used by one thread at a time. After an error only `abandon` and destruction are allowed.
class segment_writer {
public:
  /// `path` is the file's final name; its folder exists.
  [[nodiscard]] static result<segment_writer> create(const std::string& path,
                                                     segment_identity identity);

  segment_writer(segment_writer&&) noexcept = default;
  segment_writer& operator=(segment_writer&& other) noexcept;
  ~segment_writer();

  /// Adds an entry. Puts and erases come in strictly rising order of (key group, state, key), in
  /// bytes; erased prefixes at any time: they hide entries of older segments only. Errors:
  /// ec::internal for a wrong order or key group, ec::invalid_argument for a value that is too
  /// long, ec::resource for a full disk, ec::io.
  [[nodiscard]] result<void> add(const segment_entry& entry);

  /// Narrows the key groups that `create` was given; those above have no entries.
  void end_at(std::uint16_t last_key_group) noexcept {
    identity_.last_key_group = last_key_group;
  }

  /// Makes the segment durable and ends the writer. ec::conflict where the name is taken.
  [[nodiscard]] result<segment_info> finish();

  /// Removes what was written; errors are ignored, since a leftover harms nobody.
  void abandon() noexcept;

  /// Bytes of keys and values so far, to know when to begin another segment.
  [[nodiscard]] std::uint64_t payload_bytes() const noexcept {
    return payload_bytes_;
  }

private:
  struct pending_entry {
    std::string stored_key;
    std::string key;
    std::string value;
    entry_kind kind;
    std::uint8_t version;
  };

  segment_writer(std::string path, segment_identity identity, owned_file file);

  result<void> append(std::string_view stored, const segment_entry& entry, bool is_long);
  result<void> add_long(std::string_view stored, const segment_entry& entry);
  result<void> flush_long();
  result<void> append_prefixes();
  result<void> write_end(segment_trailer& trailer);
  result<void> publish();

  std::string path_;
  segment_identity identity_;
  /// The temporary file; open as long as the writer may still fail. The others refer to it.
  std::unique_ptr<owned_file> file_;
  std::unique_ptr<hashed_file> bytes_;
  std::optional<page_writer> pages_;

  std::vector<std::uint64_t> hashes_;
  std::vector<pending_entry> long_entries_; ///< with equal first bytes; they sort by hash
  std::vector<erased_prefix> prefixes_;
  std::string head_;
  std::uint64_t payload_bytes_ = 0;
  std::uint64_t puts_ = 0;
  std::uint64_t erases_ = 0;
};

} // namespace ebb
