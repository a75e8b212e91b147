#include "storage/page_survey.hpp"

#include "storage/lmdb_layout.hpp"

#include <algorithm>

namespace ebb {

namespace {

error unexpected(const char* what) {
  return make_error(ec::internal, std::string("segment pages: ") + what);
}

} // namespace

std::uint32_t page_survey::block_of(std::uint64_t page) const {
  return static_cast<std::uint32_t>(page * page_bytes_ / segment_block_bytes);
}

void page_survey::note_meta(const char* page) {
  const auto transaction =
      lmdb_layout::load<std::uint64_t>(page + lmdb_layout::meta_transaction_at);
  if (notes_.size() > 1 && transaction < newest_transaction_)
    return;
  newest_transaction_ = transaction;
  main_root_ = lmdb_layout::load<std::uint64_t>(page + lmdb_layout::meta_main_at
                                                + lmdb_layout::database_root_at);
}

void page_survey::add(const char* page) {
  const auto number = static_cast<std::uint64_t>(notes_.size());
  auto& note = notes_.emplace_back();
  if (overflow_left_ != 0) {
    --overflow_left_;
    note.flags = lmdb_layout::overflow_page;
    return;
  }
  const auto flags = lmdb_layout::load<std::uint16_t>(page + lmdb_layout::page_flags_at);
  note.flags = flags
               & (lmdb_layout::branch_page | lmdb_layout::leaf_page | lmdb_layout::overflow_page
                  | lmdb_layout::meta_page);
  if ((flags & lmdb_layout::meta_page) != 0) {
    note_meta(page);
  } else if ((flags & lmdb_layout::overflow_page) != 0) {
    overflow_left_ = lmdb_layout::load<std::uint32_t>(page + lmdb_layout::page_lower_at) - 1;
  } else if ((flags & lmdb_layout::branch_page) != 0) {
    kept_.emplace(number, std::string{page, page_bytes_});
  } else if ((flags & lmdb_layout::leaf_page) != 0 && lmdb_layout::node_count(page) != 0) {
    const auto first = lmdb_layout::node_at(page, 0);
    note.key_offset = keys_.size();
    note.key_bytes = static_cast<std::uint16_t>(first.key.size());
    keys_.append(first.key);
    if ((first.flags & lmdb_layout::node_is_database) != 0)
      kept_.emplace(number, std::string{page, page_bytes_});
  }
}

result<page_survey::tree> page_survey::find_tree(std::string_view database) const {
  const auto found = kept_.find(main_root_);
  if (found == kept_.end() || (notes_[main_root_].flags & lmdb_layout::leaf_page) == 0)
    return unexpected("the list of databases is no single leaf");
  const auto* page = found->second.data();
  for (std::size_t i = 0; i < lmdb_layout::node_count(page); ++i)
    if (const auto x = lmdb_layout::node_at(page, i); x.key == database)
      return tree{lmdb_layout::load<std::uint64_t>(x.data + lmdb_layout::database_root_at),
                  lmdb_layout::load<std::uint16_t>(x.data + lmdb_layout::database_depth_at)};
  return unexpected("the database is not listed");
}

result<void> page_survey::visit(std::uint64_t page, unsigned level, segment_trailer& trailer) {
  if (page >= notes_.size())
    return unexpected("a page number lies outside the file");
  path_.push_back(block_of(page));
  const bool leaf = level == trailer.depth;
  if ((notes_[page].flags & (leaf ? lmdb_layout::leaf_page : lmdb_layout::branch_page)) == 0)
    return unexpected("a page is of the wrong kind");
  if (!leaf) {
    const auto* bytes = kept_.at(page).data();
    for (std::size_t i = 0; i < lmdb_layout::node_count(bytes); ++i)
      EBB_TRY(visit(lmdb_layout::node_at(bytes, i).child, level + 1, trailer));
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
    mark(lmdb_layout::meta_page, block_has_meta);
    mark(lmdb_layout::branch_page, block_has_branches);
    mark(lmdb_layout::leaf_page, block_has_leaves);
    mark(lmdb_layout::overflow_page, block_has_overflow);
  }
  if (notes_.size() < 2 || main_root_ == lmdb_layout::no_page)
    return unexpected("there is no database");
  trailer.open_blocks = {0};
  if (block_of(main_root_) != 0)
    trailer.open_blocks.push_back(block_of(main_root_));
  EBB_ASSIGN(const auto entries, find_tree(database));
  *trailer.key_bytes = std::move(keys_);
  trailer.depth = static_cast<std::uint8_t>(entries.depth);
  if (entries.root == lmdb_layout::no_page)
    return {};
  return visit(entries.root, 1, trailer);
}

} // namespace ebb
