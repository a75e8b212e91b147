/// Reads the pages that LMDB has written, to learn which blocks a key is found through.
///
/// LMDB 0.9's file layout on 64-bit little-endian machines (its data version 1) is known here and
/// nowhere else. The survey sees each page once, in file order.
#pragma once

#include "schemas/error.hpp"
#include "storage/segment_trailer.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ebb {

class page_survey {
public:
  explicit page_survey(std::size_t page_bytes) : page_bytes_(page_bytes) {}

  /// The next page of the file.
  void add(const char* page);

  /// Fills the trailer's block contents (which has its size already), open blocks and runs. An
  /// error (ec::internal) where the pages are not the tree that was expected. `database` is the
  /// name of the one database with entries.
  [[nodiscard]] result<void> finish(std::string_view database, segment_trailer& trailer);

private:
  struct tree {
    std::uint64_t root = 0;
    unsigned depth = 0;
  };

  struct page_note {
    std::uint8_t flags = 0; ///< 0: not the start of a page that can be reached
    std::uint16_t key_bytes = 0;
    std::uint64_t key_offset = 0; ///< leaves: first key, in `keys_`
  };

  void note_meta(const char* page);
  result<tree> find_tree(std::string_view database) const;
  result<void> visit(std::uint64_t page, unsigned level, segment_trailer& trailer);
  [[nodiscard]] std::uint32_t block_of(std::uint64_t page) const;

  std::size_t page_bytes_;
  std::vector<page_note> notes_;
  std::string keys_;
  std::unordered_map<std::uint64_t, std::string> kept_; ///< branch pages, leaves with databases
  std::uint64_t overflow_left_ = 0;
  std::uint64_t newest_transaction_ = 0;
  std::uint64_t main_root_ = 0;
  std::vector<std::uint32_t> path_; ///< blocks from the root down
};

} // namespace ebb
