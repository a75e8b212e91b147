#include "actors/runtime/sorted_entries.hpp"

#include "schemas/assert.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <tuple>

namespace ebb {

namespace {

constexpr std::size_t word_bytes = sizeof(std::uint64_t);
constexpr std::size_t few_keys = 64;      ///< are sorted by comparing them
constexpr std::size_t few_entries = 4096; ///< are sorted without counting key groups

/// An entry that is sorted by its key, eight bytes at a time: most comparisons need no look at the
/// keys themselves, which lie anywhere.
struct sorted_key {
  std::uint64_t word = 0; ///< the next bytes of the key, the first one highest
  const char* key = nullptr;
  std::uint32_t size = 0;
  std::uint32_t number = 0; ///< in the order of writing
};

entry_kind kind_of(state_chunk::kind x) {
  switch (x) {
  case state_chunk::kind::put:
    return entry_kind::put;
  case state_chunk::kind::erase:
    return entry_kind::erase;
  case state_chunk::kind::erase_prefix:
    return entry_kind::erase_prefix;
  }
  return entry_kind::put;
}

bool is_prefix(const segment_entry& x) {
  return x.kind == entry_kind::erase_prefix;
}

std::uint32_t place_of(const segment_entry& x) {
  return std::uint32_t{x.key_group} << 16 | x.state;
}

std::string_view key_of(const sorted_key& x) {
  return {x.key, x.size};
}

/// Bytes [depth, depth + 8) of the key; zeros behind its end.
std::uint64_t word_of(const sorted_key& x, std::size_t depth) {
  std::uint64_t word = 0;
  if (x.size > depth)
    std::memcpy(&word, x.key + depth, std::min<std::size_t>(word_bytes, x.size - depth));
  return __builtin_bswap64(word);
}

void sort_by_comparing(std::span<sorted_key> keys) {
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return std::make_tuple(key_of(a), a.number) < std::make_tuple(key_of(b), b.number);
  });
}

/// How many bytes from `depth` on all keys have in common.
std::size_t common_bytes(std::span<const sorted_key> keys, std::size_t depth) {
  const auto first = key_of(keys.front());
  auto common = first.size() - depth;
  for (const auto& x : keys) {
    common = std::min(common, x.size - depth);
    const auto own = key_of(x);
    const auto end = first.begin() + static_cast<std::ptrdiff_t>(depth + common);
    const auto differs = std::mismatch(first.begin() + static_cast<std::ptrdiff_t>(depth), end,
                                       own.begin() + static_cast<std::ptrdiff_t>(depth));
    common = static_cast<std::size_t>(differs.first - first.begin()) - depth;
    if (common == 0)
      break;
  }
  return common;
}

/// Sorts keys that are equal up to `depth`, by their bytes, equal ones by number.
void sort_from(std::span<sorted_key> keys, std::size_t depth) {
  if (keys.size() < few_keys)
    return sort_by_comparing(keys);
  depth += common_bytes(keys, depth);
  for (auto& x : keys)
    x.word = word_of(x, depth);
  std::sort(keys.begin(), keys.end(), [](const auto& a, const auto& b) {
    return a.word != b.word ? a.word < b.word : a.number < b.number;
  });
  for (std::size_t first = 0; first < keys.size();) {
    auto end = first + 1;
    bool whole = keys[first].size >= depth + word_bytes;
    for (; end < keys.size() && keys[end].word == keys[first].word; ++end)
      whole = whole && keys[end].size >= depth + word_bytes;
    // Where a key ends within the word, zeros stand for nothing.
    if (end - first > 1 && whole)
      sort_from(keys.subspan(first, end - first), depth + word_bytes);
    else if (end - first > 1)
      sort_by_comparing(keys.subspan(first, end - first));
    first = end;
  }
}

/// Numbers of the entries, by key group and state.
std::vector<std::pair<std::uint64_t, std::uint32_t>>
by_place(std::span<const segment_entry> entries) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> places;
  places.reserve(entries.size());
  for (std::uint32_t i = 0; i < entries.size(); ++i)
    places.emplace_back(place_of(entries[i]), i);
  // Two passes of counting, by state and by key group; within a place the order stays.
  std::vector<std::pair<std::uint64_t, std::uint32_t>> other(places.size());
  for (const unsigned shift : {0U, 16U}) {
    std::vector<std::uint32_t> starts((std::size_t{1} << 16) + 1, 0);
    for (const auto& x : places)
      ++starts[((x.first >> shift) & 0xffff) + 1];
    for (std::size_t i = 1; i < starts.size(); ++i)
      starts[i] += starts[i - 1];
    for (const auto& x : places)
      other[starts[(x.first >> shift) & 0xffff]++] = x;
    places.swap(other);
  }
  return places;
}

/// By key group, state and key, those of one key in the order of writing.
std::vector<segment_entry> sorted(std::span<const segment_entry> entries) {
  std::vector<segment_entry> result;
  result.reserve(entries.size());
  const auto places = by_place(entries);
  std::vector<sorted_key> keys;
  for (std::size_t first = 0; first < places.size();) {
    keys.clear();
    auto end = first;
    for (; end < places.size() && places[end].first == places[first].first; ++end) {
      const auto& key = entries[places[end].second].key;
      keys.push_back({0, key.data(), static_cast<std::uint32_t>(key.size()), places[end].second});
    }
    sort_from(keys, 0);
    for (const auto& x : keys)
      result.push_back(entries[x.number]);
    first = end;
  }
  return result;
}

} // namespace

std::vector<segment_entry> sorted_entries(std::span<const snapshot_ptr> snapshots) {
  std::vector<segment_entry> result;
  std::size_t count = 0;
  for (const auto& x : snapshots)
    count += x->state.size();
  EBB_ASSERT(count <= UINT32_MAX);
  result.reserve(count);
  for (const auto& x : snapshots)
    for (std::size_t i = 0; i < x->state.size(); ++i) {
      const auto entry = x->state.at(i);
      result.push_back({entry.key_group, entry.state, entry.key, entry.value, kind_of(entry.what)});
    }
  if (result.size() < few_entries)
    std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) {
      return std::make_tuple(place_of(a), a.key) < std::make_tuple(place_of(b), b.key);
    });
  else
    result = sorted(result);
  // Of one key the last that was written; a prefix comes before an entry with its bytes.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < result.size();) {
    const segment_entry* prefix = nullptr;
    const segment_entry* entry = nullptr;
    const auto first = result[i];
    for (;
         i < result.size() && place_of(result[i]) == place_of(first) && result[i].key == first.key;
         ++i)
      (is_prefix(result[i]) ? prefix : entry) = &result[i];
    const auto last = entry == nullptr ? segment_entry{} : *entry;
    if (prefix != nullptr)
      result[kept++] = segment_entry{*prefix};
    if (entry != nullptr)
      result[kept++] = last;
  }
  result.resize(kept);
  return result;
}

} // namespace ebb
