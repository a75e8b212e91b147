/// Writes the pages of an LMDB file front to back: one named database, entries in rising order.
///
/// LMDB's own writer keeps the pages of a transaction in memory, hands them to the system in small
/// pieces and leaves no hashes behind; what comes in order and never changes needs none of that.
/// Reading is LMDB's. The layout is that of lmdb_layout.hpp.
///
/// Order of the pages: two with what LMDB looks at first, then leaves, each behind its large
/// values, then the levels of branches, then the list of databases.
#pragma once

#include "schemas/error.hpp"
#include "storage/hashed_file.hpp"
#include "storage/segment_trailer.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

/// Used by one thread at a time. After an error only destruction is allowed. Memory: a leaf, and of
/// each leaf its first key and some 20 bytes.
class page_writer {
public:
  /// `file` is empty, and outlives this.
  page_writer(hashed_file& file, std::size_t page_bytes);

  /// Adds an entry whose value is `head` and `rest`. Keys have 1 to `lmdb_key_max` bytes. Error
  /// ec::internal where the key is not greater than the one before.
  [[nodiscard]] result<void> append(std::string_view key, std::string_view head,
                                    std::string_view rest);

  /// Writes what is left. Fills the trailer's page area, contents of blocks, open blocks and runs;
  /// blocks behind the pages are not in `block_contents` yet.
  [[nodiscard]] result<void> finish(std::string_view database, segment_trailer& trailer);

private:
  /// Pages of one level, in the order of their keys.
  struct level {
    std::vector<std::uint64_t> pages;
    std::vector<std::uint32_t> parents; ///< places in the next level
    std::vector<std::uint64_t> keys;    ///< where their first keys begin in `keys_`; one more
  };

  [[nodiscard]] std::string_view first_key(const level& x, std::size_t i) const {
    return std::string_view{keys_}.substr(x.keys[i], x.keys[i + 1] - x.keys[i]);
  }

  [[nodiscard]] std::uint64_t next_page() const noexcept {
    return file_->size() / page_bytes_;
  }

  [[nodiscard]] std::uint32_t block_of(std::uint64_t page) const noexcept;
  void note(std::uint64_t first_page, std::uint64_t pages, std::uint8_t content);
  result<std::uint64_t> put_large(std::string_view head, std::string_view rest);
  char* add_node(std::string_view key, std::size_t data_bytes);
  result<std::uint64_t> put_page(std::uint16_t flags, std::uint8_t content);
  result<void> end_leaf();
  result<void> build_branches();
  result<void> put_branch(const level& below, std::size_t first, std::size_t end);
  result<void> put_heads(std::uint64_t main_root);
  void fill_runs(segment_trailer& trailer) const;

  hashed_file* file_;
  std::size_t page_bytes_;
  std::string page_; ///< that is being filled
  std::size_t lower_ = 0;
  std::size_t upper_ = 0;
  std::string last_key_;
  std::string keys_;          ///< first keys of leaves
  std::vector<level> levels_; ///< leaves first
  std::vector<std::uint8_t> contents_;
  std::uint64_t entries_ = 0;
  std::uint64_t branch_pages_ = 0;
  std::uint64_t large_pages_ = 0;
};

} // namespace ebb
