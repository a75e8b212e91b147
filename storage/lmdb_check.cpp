#include "storage/lmdb_check.hpp"

#include "storage/files.hpp"
#include "storage/lmdb_layout.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace ebb {

namespace {

namespace layout = lmdb_layout;
using layout::load;

constexpr unsigned depth_max = 32; // LMDB's own limit

struct meta {
  std::uint64_t transaction = 0;
  const char* free = nullptr; ///< header of the free list
  const char* main = nullptr; ///< header of the list of databases
};

// The file as memory: it may be large, and most of it is never looked at.
struct mapped_bytes {
  mapped_bytes() = default;
  mapped_bytes(const mapped_bytes&) = delete;
  mapped_bytes& operator=(const mapped_bytes&) = delete;

  ~mapped_bytes() {
    if (size != 0)
      ::munmap(const_cast<char*>(start), size);
  }

  result<void> map(const owned_file& file, std::size_t bytes) {
    auto* at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, file.descriptor(), 0);
    if (at == MAP_FAILED)
      return system_error(file.path(), "map");
    start = static_cast<const char*>(at);
    size = bytes;
    return {};
  }

  const char* start = nullptr;
  std::size_t size = 0;
};

class file_check {
public:
  explicit file_check(const lmdb_check_request& request) : request_(request) {}

  result<void> run();

private:
  struct tree {
    explicit tree(const char* at) : header(at) {}

    const char* header;
    bool is_main = false;
    bool is_free = false;
    std::string_view witness; ///< key to look for; empty = none
    std::uint64_t entries = 0;
    std::string last_key;
    bool any = false;
  };

  [[nodiscard]] error damaged(const std::string& what) const {
    return make_error(ec::corrupt, request_.path + ": " + request_.what + " is damaged: " + what,
                      request_.hint);
  }

  result<meta> read_meta(std::size_t i) const;
  result<void> check_snapshot(const meta& x);
  result<void> walk(tree& x);
  result<void> visit(tree& x, std::uint64_t page, unsigned level, std::string_view lower);
  result<void> visit_leaf(tree& x, const char* page);
  result<void> check_nodes(const char* page, bool leaf) const;
  result<void> check_free(std::string_view list);
  result<std::string_view> value_of(const layout::node& x);
  result<void> use(std::uint64_t page);
  bool in_order(const tree& x, std::string_view a, std::string_view b) const;

  [[nodiscard]] const char* at(std::uint64_t page) const {
    return bytes_.start + page * page_bytes_;
  }

  const lmdb_check_request& request_;
  const std::size_t page_bytes_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  mapped_bytes bytes_;
  std::uint64_t pages_ = 0;

  // Of the snapshot being walked.
  std::vector<bool> used_;
  std::vector<bool> free_;
  std::uint64_t last_page_ = 0;
  std::optional<std::uint64_t> witnessed_;
};

result<meta> file_check::read_meta(std::size_t i) const {
  const auto* page = at(i);
  meta x;
  x.transaction = load<std::uint64_t>(page + layout::meta_transaction_at);
  x.free = page + layout::meta_free_at;
  x.main = page + layout::meta_main_at;
  const bool sound =
      load<std::uint64_t>(page) == i
      && load<std::uint16_t>(page + layout::page_flags_at) == layout::meta_page
      && load<std::uint32_t>(page + layout::meta_magic_at) == layout::magic
      && load<std::uint32_t>(page + layout::meta_version_at) == layout::data_version
      && load<std::uint64_t>(page + layout::meta_address_at) == 0
      && load<std::uint32_t>(x.free) == page_bytes_
      && load<std::uint16_t>(x.free + layout::database_flags_at) == layout::free_list_flags
      && load<std::uint16_t>(x.main + layout::database_flags_at) == 0
      && (x.transaction == 0 || x.transaction % 2 == i);
  if (!sound)
    return damaged("its header " + std::to_string(i) + " makes no sense");
  return x;
}

result<void> file_check::use(std::uint64_t page) {
  if (page < 2 || page >= pages_)
    return damaged("it refers to a page outside");
  if (used_[page])
    return damaged("two places refer to one page");
  used_[page] = true;
  return {};
}

// Node places, key and data sizes: all within the page.
result<void> file_check::check_nodes(const char* page, bool leaf) const {
  const std::size_t lower = load<std::uint16_t>(page + layout::page_lower_at);
  const std::size_t upper = load<std::uint16_t>(page + layout::page_upper_at);
  if (lower < layout::page_header_bytes || lower % 2 != 0 || lower > upper || upper > page_bytes_)
    return damaged("the bounds of a page make no sense");
  const auto nodes = layout::node_count(page);
  if (nodes < (leaf ? 1U : 2U))
    return damaged("a page has too few entries");
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::size_t place = load<std::uint16_t>(page + layout::page_header_bytes + 2 * i);
    if (place < upper || place + layout::node_header_bytes > page_bytes_)
      return damaged("an entry lies outside its page");
    const auto x = layout::node_at(page, i);
    std::size_t end = place + layout::node_header_bytes + x.key.size();
    if (leaf)
      end += (x.flags & layout::node_is_large) != 0 ? sizeof(std::uint64_t) : x.data_bytes;
    if (end > page_bytes_)
      return damaged("an entry reaches beyond its page");
  }
  return {};
}

result<std::string_view> file_check::value_of(const layout::node& x) {
  if ((x.flags & layout::node_is_large) == 0)
    return std::string_view{x.data, x.data_bytes};
  const auto first = load<std::uint64_t>(x.data);
  const auto pages =
      (layout::page_header_bytes + std::uint64_t{x.data_bytes} - 1) / page_bytes_ + 1;
  if (first >= pages_ || pages > pages_ - first)
    return damaged("a large value lies outside");
  for (auto page = first; page < first + pages; ++page)
    EBB_TRY(use(page));
  const auto* page = at(first);
  if (load<std::uint64_t>(page) != first
      || load<std::uint16_t>(page + layout::page_flags_at) != layout::overflow_page
      || load<std::uint32_t>(page + layout::page_lower_at) != pages)
    return damaged("a large value's page makes no sense");
  return std::string_view{page + layout::page_header_bytes, x.data_bytes};
}

bool file_check::in_order(const tree& x, std::string_view a, std::string_view b) const {
  if (!x.is_free)
    return a < b;
  return load<std::uint64_t>(a.data()) < load<std::uint64_t>(b.data());
}

// A count and as many page numbers, falling; room for more may follow.
result<void> file_check::check_free(std::string_view list) {
  const auto count = list.size() < sizeof(std::uint64_t) ? 0 : load<std::uint64_t>(list.data());
  if (list.size() < sizeof(std::uint64_t) || count > pages_ + last_page_
      || list.size() < (count + 1) * sizeof(std::uint64_t))
    return damaged("its list of free pages makes no sense");
  auto before = layout::no_page;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const auto page = load<std::uint64_t>(list.data() + i * sizeof(std::uint64_t));
    if (page < 2 || page > last_page_ || page >= before)
      return damaged("its list of free pages makes no sense");
    before = page;
    if (page >= pages_)
      continue; // given out once, never written
    if (free_[page])
      return damaged("a page is free twice");
    free_[page] = true;
  }
  return {};
}

result<void> file_check::visit_leaf(tree& x, const char* page) {
  for (std::size_t i = 0; i < layout::node_count(page); ++i) {
    const auto entry = layout::node_at(page, i);
    const auto kind = entry.flags & ~layout::node_is_large;
    if (kind != (x.is_main ? layout::node_is_database : 0)
        || (x.is_main && entry.data_bytes != layout::database_header_bytes)
        || (x.is_free && entry.key.size() != sizeof(std::uint64_t)) || entry.key.empty())
      return damaged("an entry is of a wrong kind");
    if (x.any && !in_order(x, x.last_key, entry.key))
      return damaged("its entries are out of order");
    x.any = true;
    x.last_key = entry.key;
    ++x.entries;
    EBB_ASSIGN(const auto value, value_of(entry));
    if (x.is_free)
      EBB_TRY(check_free(value));
    if (!x.witness.empty() && entry.key == x.witness)
      witnessed_ = request_.transaction_of(value);
    if (x.is_main) {
      tree database{value.data()};
      if (load<std::uint16_t>(value.data() + layout::database_flags_at) != 0)
        return damaged("a database has unknown flags");
      if (entry.key == request_.witness_database)
        database.witness = request_.witness_key;
      EBB_TRY(walk(database));
    }
  }
  return {};
}

// `lower`: no key below may be less; empty = no bound.
result<void> file_check::visit(tree& x, std::uint64_t page, unsigned level,
                               std::string_view lower) {
  EBB_TRY(use(page));
  const auto* bytes = at(page);
  const bool leaf = level == load<std::uint16_t>(x.header + layout::database_depth_at);
  if (load<std::uint64_t>(bytes) != page
      || load<std::uint16_t>(bytes + layout::page_flags_at)
             != (leaf ? layout::leaf_page : layout::branch_page))
    return damaged("a page is not what it should be");
  EBB_TRY(check_nodes(bytes, leaf));
  if (leaf) {
    const auto first = layout::node_at(bytes, 0).key;
    if (x.is_free && first.size() != sizeof(std::uint64_t))
      return damaged("an entry is of a wrong kind");
    if (!lower.empty() && in_order(x, first, lower))
      return damaged("its entries are out of order");
    return visit_leaf(x, bytes);
  }
  for (std::size_t i = 0; i < layout::node_count(bytes); ++i) {
    const auto child = layout::node_at(bytes, i);
    // The first key of a branch stands for all that are less, and LMDB never looks at it.
    if (i != 0) {
      if (child.key.empty() || (x.is_free && child.key.size() != sizeof(std::uint64_t)))
        return damaged("an entry is of a wrong kind");
      if (!in_order(x, x.last_key, child.key))
        return damaged("its entries are out of order");
    }
    EBB_TRY(visit(x, child.child, level + 1, i == 0 ? lower : child.key));
  }
  return {};
}

result<void> file_check::walk(tree& x) {
  const auto root = load<std::uint64_t>(x.header + layout::database_root_at);
  const auto depth = load<std::uint16_t>(x.header + layout::database_depth_at);
  if (depth > depth_max || (depth == 0) != (root == layout::no_page))
    return damaged("the depth of a tree makes no sense");
  if (depth != 0)
    EBB_TRY(visit(x, root, 1, {}));
  if (x.entries != load<std::uint64_t>(x.header + layout::database_entries_at))
    return damaged("a database has another number of entries than it says");
  return {};
}

result<void> file_check::check_snapshot(const meta& x) {
  used_.assign(pages_, false);
  free_.assign(pages_, false);
  witnessed_.reset();
  last_page_ = load<std::uint64_t>(x.main - layout::meta_main_at + layout::meta_last_page_at);
  if (last_page_ >= request_.map_bytes / page_bytes_)
    return damaged("its number of pages makes no sense");
  tree free{x.free};
  free.is_free = true;
  EBB_TRY(walk(free));
  tree main{x.main};
  main.is_main = true;
  EBB_TRY(walk(main));
  for (std::uint64_t page = 0; page < pages_; ++page)
    if (used_[page] && (free_[page] || page > last_page_))
      return damaged("a page is free and in use");
  // An older snapshot that passes for a newer one.
  if (x.transaction != witnessed_.value_or(0))
    return damaged("a snapshot is not that of its transaction");
  return {};
}

result<void> file_check::run() {
  EBB_ASSIGN(const auto file, owned_file::open_to_read(request_.path));
  EBB_ASSIGN(const auto size, file.size());
  pages_ = size / page_bytes_;
  if (pages_ < 2)
    return damaged("it has only " + std::to_string(size) + " bytes");
  EBB_TRY(bytes_.map(file, pages_ * page_bytes_));
  EBB_ASSIGN(const auto even, read_meta(0));
  EBB_ASSIGN(const auto odd, read_meta(1));
  const auto newer = std::max(even.transaction, odd.transaction);
  const auto older = std::min(even.transaction, odd.transaction);
  if (newer != 0 && newer - older != 1)
    return damaged("its two snapshots are not neighbours");
  // The other header may hold parts of a commit that failed: LMDB gives it its old number back.
  if (newer < request_.least_transaction)
    return damaged("its last commit is gone");
  return check_snapshot(newer == even.transaction ? even : odd);
}

} // namespace

result<void> check_lmdb_file(const lmdb_check_request& request) {
  return file_check{request}.run();
}

} // namespace ebb
