#include "storage/page_writer.hpp"

#include "schemas/assert.hpp"
#include "storage/lmdb_layout.hpp"

#include <algorithm>
#include <cstring>

namespace ebb {

namespace {

namespace layout = lmdb_layout;

constexpr std::size_t place_bytes = sizeof(std::uint16_t); // of a node, at the page's front
constexpr std::size_t least_nodes = 2;                     // of a page that is no leaf

template <class T>
void store(char* to, T value) noexcept {
  std::memcpy(to, &value, sizeof value);
}

constexpr std::size_t even(std::size_t x) noexcept {
  return (x + 1) & ~std::size_t{1};
}

void store_page_header(char* page, std::uint64_t number, std::uint16_t flags) noexcept {
  store(page, number);
  store(page + layout::page_flags_at, flags);
}

} // namespace

page_writer::page_writer(hashed_file& file, std::size_t page_bytes)
    : file_(&file), page_bytes_(page_bytes), page_(page_bytes, '\0'),
      lower_(layout::page_header_bytes), upper_(page_bytes), levels_(1) {
  EBB_ASSERT(page_bytes_ >= 4096 && page_bytes_ <= 32768);
}

std::uint32_t page_writer::block_of(std::uint64_t page) const noexcept {
  return static_cast<std::uint32_t>(page * page_bytes_ / segment_block_bytes);
}

void page_writer::note(std::uint64_t first_page, std::uint64_t pages, std::uint8_t content) {
  const auto last = block_of(first_page + pages - 1);
  if (contents_.size() <= last)
    contents_.resize(last + std::size_t{1}, 0);
  for (auto block = block_of(first_page); block <= last; ++block)
    contents_[block] = static_cast<std::uint8_t>(contents_[block] | content);
}

// A node's header, key and `data_bytes` bytes of data, which are to be filled; nothing where the
// page has no room for it.
char* page_writer::add_node(std::string_view key, std::size_t data_bytes) {
  const auto bytes = even(layout::node_header_bytes + key.size() + data_bytes);
  if (upper_ - lower_ < bytes + place_bytes)
    return nullptr;
  upper_ -= bytes;
  store(page_.data() + lower_, static_cast<std::uint16_t>(upper_));
  lower_ += place_bytes;
  auto* node = page_.data() + upper_;
  std::memset(node, 0, layout::node_header_bytes);
  store(node + 6, static_cast<std::uint16_t>(key.size()));
  if (!key.empty())
    std::memcpy(node + layout::node_header_bytes, key.data(), key.size());
  return node + layout::node_header_bytes + key.size();
}

// Writes the page that is being filled and empties it. Gives its number.
result<std::uint64_t> page_writer::put_page(std::uint16_t flags, std::uint8_t content) {
  const auto number = next_page();
  auto* page = page_.data();
  store_page_header(page, number, flags);
  store(page + layout::page_lower_at, static_cast<std::uint16_t>(lower_));
  store(page + layout::page_upper_at, static_cast<std::uint16_t>(upper_));
  note(number, 1, content);
  EBB_TRY(file_->put(page_));
  std::fill(page_.begin(), page_.end(), '\0');
  lower_ = layout::page_header_bytes;
  upper_ = page_bytes_;
  return number;
}

result<std::uint64_t> page_writer::put_large(std::string_view head, std::string_view rest) {
  const auto number = next_page();
  const auto bytes = layout::page_header_bytes + head.size() + rest.size();
  const auto pages = (bytes - 1) / page_bytes_ + 1;
  char header[layout::page_header_bytes] = {};
  store_page_header(header, number, layout::overflow_page);
  store(header + layout::page_lower_at, static_cast<std::uint32_t>(pages));
  note(number, pages, block_has_overflow);
  large_pages_ += pages;
  EBB_TRY(file_->put({header, sizeof header}));
  EBB_TRY(file_->put(head));
  EBB_TRY(file_->put(rest));
  EBB_TRY(file_->put_zeros(pages * page_bytes_ - bytes));
  return number;
}

result<void> page_writer::end_leaf() {
  auto& leaves = levels_.front();
  EBB_ASSIGN(const auto number, put_page(layout::leaf_page, block_has_leaves));
  leaves.pages.push_back(number);
  return {};
}

result<void> page_writer::append(std::string_view key, std::string_view head,
                                 std::string_view rest) {
  if (key.empty() || (entries_ != 0 && key <= last_key_))
    return make_error(ec::internal, file_->path() + ": append out of order");
  if (entries_ == 0)
    EBB_TRY(file_->put_zeros(2 * page_bytes_)); // known in the end
  const auto bytes = head.size() + rest.size();
  // As LMDB does it: what does not let a page hold two entries lies elsewhere.
  const auto inline_most = (page_bytes_ - layout::page_header_bytes) / least_nodes - place_bytes;
  const bool large = layout::node_header_bytes + key.size() + bytes > inline_most;
  const auto data_bytes = large ? sizeof(std::uint64_t) : bytes;
  std::uint64_t at = 0;
  if (large) {
    EBB_ASSIGN(at, put_large(head, rest));
  }
  auto* data = add_node(key, data_bytes);
  if (data == nullptr) {
    EBB_TRY(end_leaf());
    data = add_node(key, data_bytes);
    EBB_ASSERT(data != nullptr);
  }
  auto* node = data - key.size() - layout::node_header_bytes;
  store(node, static_cast<std::uint32_t>(bytes));
  if (large) {
    store(node + 4, layout::node_is_large);
    store(data, at);
  } else {
    head.copy(data, head.size());
    rest.copy(data + head.size(), rest.size());
  }
  if (lower_ == layout::page_header_bytes + place_bytes) {
    levels_.front().keys.push_back(keys_.size());
    keys_.append(key);
  }
  last_key_.assign(key);
  ++entries_;
  return {};
}

result<void> page_writer::put_branch(const level& below, std::size_t first, std::size_t end) {
  for (auto i = first; i < end; ++i) {
    // The first key stands for all that are less; nobody looks at it.
    auto* data = add_node(i == first ? std::string_view{} : first_key(below, i), 0);
    EBB_ASSERT(data != nullptr);
    auto* node = page_.data() + upper_;
    const auto child = below.pages[i];
    store(node, static_cast<std::uint32_t>(child));
    store(node + 4, static_cast<std::uint16_t>(child >> 32));
  }
  return {};
}

// Level upon level, until one page is left.
result<void> page_writer::build_branches() {
  while (levels_.back().pages.size() > 1) {
    auto& below = levels_.back();
    const auto count = below.pages.size();
    level above;
    for (std::size_t first = 0; first < count;) {
      auto left = page_bytes_ - layout::page_header_bytes;
      auto end = first;
      for (; end < count; ++end) {
        const auto key = end == first ? 0 : first_key(below, end).size();
        const auto bytes = even(layout::node_header_bytes + key) + place_bytes;
        if (bytes > left)
          break;
        left -= bytes;
      }
      if (count - end == 1 && end - first > least_nodes)
        --end; // none may be alone
      EBB_TRY(put_branch(below, first, end));
      EBB_ASSIGN(const auto number, put_page(layout::branch_page, block_has_branches));
      below.parents.insert(below.parents.end(), end - first,
                           static_cast<std::uint32_t>(above.pages.size()));
      above.pages.push_back(number);
      above.keys.push_back(keys_.size());
      keys_.append(first_key(below, first));
      ++branch_pages_;
      first = end;
    }
    above.keys.push_back(keys_.size());
    levels_.push_back(std::move(above));
  }
  return {};
}

result<void> page_writer::put_heads(std::uint64_t main_root) {
  std::string heads(2 * page_bytes_, '\0');
  for (std::uint64_t i = 0; i < 2; ++i) {
    auto* page = heads.data() + i * page_bytes_;
    store_page_header(page, i, layout::meta_page);
    store(page + layout::meta_magic_at, layout::magic);
    store(page + layout::meta_version_at, layout::data_version);
    // The file's size; where it is opened it may be larger.
    store(page + layout::meta_map_size_at, file_->size());
    store(page + layout::meta_free_at, static_cast<std::uint32_t>(page_bytes_));
    store(page + layout::meta_free_at + layout::database_flags_at, layout::free_list_flags);
    store(page + layout::meta_free_at + layout::database_root_at, layout::no_page);
    store(page + layout::meta_main_at + layout::database_root_at, layout::no_page);
    store(page + layout::meta_last_page_at, std::uint64_t{1});
  }
  // The second one is of the only transaction.
  auto* page = heads.data() + page_bytes_;
  auto* main = page + layout::meta_main_at;
  store(main + layout::database_depth_at, std::uint16_t{1});
  store(main + layout::database_leaves_at, std::uint64_t{1});
  store(main + layout::database_entries_at, std::uint64_t{1});
  store(main + layout::database_root_at, main_root);
  store(page + layout::meta_last_page_at, main_root);
  store(page + layout::meta_transaction_at, std::uint64_t{1});
  note(0, 2, block_has_meta);
  return file_->replace_front(heads);
}

result<void> page_writer::finish(std::string_view database, segment_trailer& trailer) {
  if (entries_ == 0)
    EBB_TRY(file_->put_zeros(2 * page_bytes_));
  else
    EBB_TRY(end_leaf());
  levels_.front().keys.push_back(keys_.size());
  EBB_TRY(build_branches());
  const bool any = entries_ != 0;
  trailer.depth = static_cast<std::uint8_t>(any ? levels_.size() : 0);

  auto* data = add_node(database, layout::database_header_bytes);
  EBB_ASSERT(data != nullptr);
  auto* node = data - database.size() - layout::node_header_bytes;
  store(node, static_cast<std::uint32_t>(layout::database_header_bytes));
  store(node + 4, layout::node_is_database);
  std::memset(data, 0, layout::database_header_bytes);
  store(data + layout::database_depth_at, std::uint16_t{trailer.depth});
  store(data + layout::database_branches_at, branch_pages_);
  store(data + layout::database_leaves_at, std::uint64_t{levels_.front().pages.size()});
  store(data + layout::database_overflows_at, large_pages_);
  store(data + layout::database_entries_at, entries_);
  store(data + layout::database_root_at, any ? levels_.back().pages.front() : layout::no_page);
  EBB_ASSIGN(const auto main_root, put_page(layout::leaf_page, block_has_leaves));
  EBB_TRY(put_heads(main_root));

  trailer.page_bytes = static_cast<std::uint32_t>(page_bytes_);
  trailer.page_area_bytes = file_->size();
  trailer.block_contents = std::move(contents_);
  trailer.open_blocks = {0};
  if (block_of(main_root) != 0)
    trailer.open_blocks.push_back(block_of(main_root));
  *trailer.key_bytes = std::move(keys_);
  if (any)
    fill_runs(trailer);
  return {};
}

void page_writer::fill_runs(segment_trailer& trailer) const {
  const auto depth = levels_.size();
  std::vector<std::uint32_t> path(depth);
  const auto& leaves = levels_.front();
  for (std::size_t leaf = 0; leaf < leaves.pages.size(); ++leaf) {
    auto at = leaf;
    for (std::size_t up = 0; up < depth; ++up) {
      path[depth - 1 - up] = block_of(levels_[up].pages[at]);
      if (up + 1 < depth)
        at = levels_[up].parents[at];
    }
    if (!trailer.runs.empty()
        && std::equal(path.begin(), path.end(),
                      trailer.run_blocks.end() - static_cast<std::ptrdiff_t>(depth)))
      continue;
    const auto key = leaves.keys[leaf];
    trailer.runs.push_back(
        {std::string_view{*trailer.key_bytes}.substr(key, leaves.keys[leaf + 1] - key),
         static_cast<std::uint32_t>(trailer.run_blocks.size())});
    trailer.run_blocks.insert(trailer.run_blocks.end(), path.begin(), path.end());
  }
}

} // namespace ebb
