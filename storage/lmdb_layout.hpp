/// Where things lie in the pages of a file that LMDB 0.9 has written on a 64-bit little-endian
/// machine (its data version 1). For `page_writer` and `lmdb_check`, which write and read files
/// without it.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ebb::lmdb_layout {

// Page header: number u64, pad u16, flags u16, lower u16, upper u16 (of large values: pages u32).
inline constexpr std::size_t page_flags_at = 10;
inline constexpr std::size_t page_lower_at = 12;
inline constexpr std::size_t page_upper_at = 14;
inline constexpr std::size_t page_header_bytes = 16;
inline constexpr std::uint16_t branch_page = 0x01;
inline constexpr std::uint16_t leaf_page = 0x02;
inline constexpr std::uint16_t overflow_page = 0x04;
inline constexpr std::uint16_t meta_page = 0x08;

// Node: low u16, high u16 (of the data's size, or of the child page's number), flags u16, key size
// u16, key, data. Branch nodes have the number's third part in place of the flags.
inline constexpr std::size_t node_header_bytes = 8;
inline constexpr std::uint16_t node_is_large = 0x01;    ///< the data is the number of a page
inline constexpr std::uint16_t node_is_database = 0x02; ///< the data is a database header

// Meta: magic u32, version u32, address u64, map size u64, headers of the free list and of the list
// of databases, last page u64, transaction u64.
inline constexpr std::uint32_t magic = 0xbeefc0de;
inline constexpr std::uint32_t data_version = 1;
inline constexpr std::size_t meta_magic_at = page_header_bytes;
inline constexpr std::size_t meta_version_at = meta_magic_at + 4;
inline constexpr std::size_t meta_address_at = meta_magic_at + 8;
inline constexpr std::size_t meta_map_size_at = meta_magic_at + 16;
inline constexpr std::size_t meta_free_at = meta_magic_at + 24;
inline constexpr std::size_t meta_main_at = meta_free_at + 48;
inline constexpr std::size_t meta_last_page_at = meta_main_at + 48;
inline constexpr std::size_t meta_transaction_at = meta_last_page_at + 8;

// Database header: pad u32 (in the free list's: page size), flags u16, depth u16, then u64: branch
// pages, leaf pages, overflow pages, entries, root.
inline constexpr std::size_t database_flags_at = 4;
inline constexpr std::size_t database_depth_at = 6;
inline constexpr std::size_t database_branches_at = 8;
inline constexpr std::size_t database_leaves_at = 16;
inline constexpr std::size_t database_overflows_at = 24;
inline constexpr std::size_t database_entries_at = 32;
inline constexpr std::size_t database_root_at = 40;
inline constexpr std::size_t database_header_bytes = 48;
inline constexpr std::uint16_t free_list_flags = 0x4008; ///< integer keys; a file without a folder
inline constexpr std::uint64_t no_page = ~std::uint64_t{0};

template <class T>
[[nodiscard]] T load(const char* from) noexcept {
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

struct node {
  std::string_view key;
  const char* data = nullptr;
  std::uint32_t data_bytes = 0; ///< of leaves
  std::uint16_t flags = 0;      ///< of leaves
  std::uint64_t child = 0;      ///< of branches
};

[[nodiscard]] inline std::size_t node_count(const char* page) noexcept {
  return (load<std::uint16_t>(page + page_lower_at) - page_header_bytes) / 2;
}

/// Trusts the page.
[[nodiscard]] inline node node_at(const char* page, std::size_t i) noexcept {
  const auto* at = page + load<std::uint16_t>(page + page_header_bytes + 2 * i);
  node x;
  x.key = {at + node_header_bytes, load<std::uint16_t>(at + 6)};
  x.data = x.key.data() + x.key.size();
  x.flags = load<std::uint16_t>(at + 4);
  x.data_bytes = load<std::uint32_t>(at);
  x.child = x.data_bytes | std::uint64_t{x.flags} << 32;
  return x;
}

} // namespace ebb::lmdb_layout
