#include "storage/page_survey.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

// Page header: number u64, pad u16, flags u16, lower u16, upper u16 (pages u32 of large values).
constexpr std::size_t page_flags_at = 10;
constexpr std::size_t page_lower_at = 12;
constexpr std::size_t page_header_bytes = 16;
constexpr std::uint16_t branch_page = 0x01;
constexpr std::uint16_t leaf_page = 0x02;
constexpr std::uint16_t overflow_page = 0x04;
constexpr std::uint16_t meta_page = 0x08;

// Node: low u16, high u16, flags u16, key size u16, key, data.
constexpr std::size_t node_header_bytes = 8;
constexpr std::uint16_t node_is_database = 0x02;

// Meta: magic u32, version u32, address, map size, two database headers, last page, transaction.
constexpr std::size_t meta_main_at = page_header_bytes + 24 + 48;
constexpr std::size_t meta_transaction_at = meta_main_at + 48 + 8;

// Database header: pad u32, flags u16, depth u16, four counts u64, root u64.
constexpr std::size_t database_depth_at = 6;
constexpr std::size_t database_root_at = 40;
constexpr std::uint64_t no_page = ~std::uint64_t{0};

template <class T>
T load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

struct node {
  std::string_view key;
  const char* data;
  std::uint16_t flags;
  std::uint64_t child; ///< of branch pages
};

std::size_t node_count(const char* page) {
  return (load<std::uint16_t>(page + page_lower_at) - page_header_bytes) / 2;
}

node node_at(const char* page, std::size_t i) {
  const auto* at = page + load<std::uint16_t>(page + page_header_bytes + 2 * i);
  const auto key_bytes = load<std::uint16_t>(at + 6);
  node x{};
  x.flags = load<std::uint16_t>(at + 4);
  x.child = load<std::uint16_t>(at) | std::uint64_t{load<std::uint16_t>(at + 2)} << 16
            | std::uint64_t{x.flags} << 32;
  x.key = {at + node_header_bytes, key_bytes};
  x.data = at + node_header_bytes + key_bytes;
  return x;
}

error unexpected(const char* what) {
  return make_error(ec::internal, std::string("segment pages: ") + what);
}

} // namespace

std::uint32_t page_survey::block_of(std::uint64_t page) const {
  return static_cast<std::uint32_t>(page * page_bytes_ / segment_block_bytes);
}

void page_survey::note_meta(const char* page) {
  const auto transaction = load<std::uint64_t>(page + meta_transaction_at);
  if (notes_.size() > 1 && transaction < newest_transaction_)
    return;
  newest_transaction_ = transaction;
  main_root_ = load<std::uint64_t>(page + meta_main_at + database_root_at);
}

void page_survey::add(const char* page) {
  const auto number = static_cast<std::uint64_t>(notes_.size());
  auto& note = notes_.emplace_back();
  if (overflow_left_ != 0) {
    --overflow_left_;
    note.flags = overflow_page;
    return;
  }
  const auto flags = load<std::uint16_t>(page + page_flags_at);
  note.flags = flags & (branch_page | leaf_page | overflow_page | meta_page);
  if ((flags & meta_page) != 0) {
    note_meta(page);
  } else if ((flags & overflow_page) != 0) {
    overflow_left_ = load<std::uint32_t>(page + page_lower_at) - 1;
  } else if ((flags & branch_page) != 0) {
    kept_.emplace(number, std::string{page, page_bytes_});
  } else if ((flags & leaf_page) != 0 && node_count(page) != 0) {
    const auto first = node_at(page, 0);
    note.key_offset = keys_.size();
    note.key_bytes = static_cast<std::uint16_t>(first.key.size());
    keys_.append(first.key);
    if ((first.flags & node_is_database) != 0)
      kept_.emplace(number, std::string{page, page_bytes_});
  }
}

result<page_survey::tree> page_survey::find_tree(std::string_view database) const {
  const auto found = kept_.find(main_root_);
  if (found == kept_.end() || (notes_[main_root_].flags & leaf_page) == 0)
    return unexpected("the list of databases is no single leaf");
  const auto* page = found->second.data();
  for (std::size_t i = 0; i < node_count(page); ++i)
    if (const auto x = node_at(page, i); x.key == database)
      return tree{load<std::uint64_t>(x.data + database_root_at),
                  load<std::uint16_t>(x.data + database_depth_at)};
  return unexpected("the database is not listed");
}

result<void> page_survey::visit(std::uint64_t page, unsigned level, segment_trailer& trailer) {
  if (page >= notes_.size())
    return unexpected("a page number lies outside the file");
  path_.push_back(block_of(page));
  const bool leaf = level == trailer.depth;
  if ((notes_[page].flags & (leaf ? leaf_page : branch_page)) == 0)
    return unexpected("a page is of the wrong kind");
  if (!leaf) {
    const auto* bytes = kept_.at(page).data();
    for (std::size_t i = 0; i < node_count(bytes); ++i)
      EBB_TRY(visit(node_at(bytes, i).child, level + 1, trailer));
  } else if (trailer.runs.empty()
             || !std::equal(path_.begin(), path_.end(),
                            trailer.run_blocks.end() - static_cast<std::ptrdiff_t>(path_.size()))) {
    const auto& note = notes_[page];
    trailer.runs.push_back(
        {std::string_view{*trailer.key_bytes}.substr(note.key_offset, note.key_bytes),
         static_cast<std::uint32_t>(trailer.run_blocks.size())});
    trailer.run_blocks.insert(trailer.run_blocks.end(), path_.begin(), path_.end());
  }
  path_.pop_back();
  return {};
}

result<void> page_survey::finish(std::string_view database, segment_trailer& trailer) {
  for (std::uint64_t page = 0; page < notes_.size(); ++page) {
    auto& content = trailer.block_contents[block_of(page)];
    const auto flags = notes_[page].flags;
    const auto mark = [&](std::uint16_t kind, std::uint8_t bit) {
      if ((flags & kind) != 0)
        content = static_cast<std::uint8_t>(content | bit);
    };
    mark(meta_page, block_has_meta);
    mark(branch_page, block_has_branches);
    mark(leaf_page, block_has_leaves);
    mark(overflow_page, block_has_overflow);
  }
  if (notes_.size() < 2 || main_root_ == no_page)
    return unexpected("there is no database");
  trailer.open_blocks = {0};
  if (block_of(main_root_) != 0)
    trailer.open_blocks.push_back(block_of(main_root_));
  EBB_ASSIGN(const auto entries, find_tree(database));
  *trailer.key_bytes = std::move(keys_);
  trailer.depth = static_cast<std::uint8_t>(entries.depth);
  if (entries.root == no_page)
    return {};
  return visit(entries.root, 1, trailer);
}

} // namespace ebb
