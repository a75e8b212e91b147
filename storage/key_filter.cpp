#include "storage/key_filter.hpp"

#include <algorithm>
#include <array>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr std::size_t bits_per_key = 10;
constexpr unsigned probes = 6;
constexpr unsigned line_bits_log2 = 9; // 512 bits

// Bits within the line: nine bits of a second hash each.
std::uint64_t second_hash(std::uint64_t hash) noexcept {
  hash *= 0x9fb21c651e98df25;
  return hash ^ (hash >> 29);
}

} // namespace

std::uint64_t filter_hash(std::string_view stored_key) noexcept {
  return XXH3_64bits(stored_key.data(), stored_key.size());
}

std::size_t filter_line_of(std::uint64_t hash, std::size_t filter_bytes) noexcept {
  const auto lines = static_cast<std::uint64_t>(filter_bytes / filter_line_bytes);
  return static_cast<std::size_t>(((hash >> 32) * lines) >> 32) * filter_line_bytes;
}

std::string build_filter(std::span<const std::uint64_t> hashes) {
  const auto bytes = (hashes.size() * bits_per_key + 7) / 8;
  const auto lines = std::max<std::size_t>(1, (bytes + filter_line_bytes - 1) / filter_line_bytes);
  std::string filter(lines * filter_line_bytes, '\0');
  for (const auto hash : hashes) {
    auto* line = filter.data() + filter_line_of(hash, filter.size());
    auto bits = second_hash(hash);
    for (unsigned i = 0; i < probes; ++i, bits >>= line_bits_log2) {
      const auto bit = bits & 511;
      line[bit >> 3] = static_cast<char>(line[bit >> 3] | 1 << (bit & 7));
    }
  }
  return filter;
}

bool filter_may_contain(const char* line, std::uint64_t hash) noexcept {
  auto bits = second_hash(hash);
  for (unsigned i = 0; i < probes; ++i, bits >>= line_bits_log2) {
    const auto bit = bits & 511;
    if ((line[bit >> 3] & 1 << (bit & 7)) == 0)
      return false;
  }
  return true;
}

} // namespace ebb
