#include "actors/runtime/sorted_entries.hpp"

#include <algorithm>
#include <cstdint>
#include <tuple>

namespace ebb {

namespace {

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

} // namespace

std::vector<segment_entry> sorted_entries(std::span<const snapshot_ptr> snapshots) {
  std::vector<segment_entry> result;
  std::size_t count = 0;
  for (const auto& x : snapshots)
    count += x->state.size();
  result.reserve(count);
  for (const auto& x : snapshots)
    for (std::size_t i = 0; i < x->state.size(); ++i) {
      const auto entry = x->state.at(i);
      result.push_back({entry.key_group, entry.state, entry.key, entry.value, kind_of(entry.what)});
    }
  const auto place = [](const segment_entry& x) {
    return std::make_tuple(x.key_group, x.state, x.key, is_prefix(x) ? 0 : 1);
  };
  // Stable: of equal keys the last written stays last.
  std::stable_sort(result.begin(), result.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
  std::size_t kept = 0;
  for (std::size_t i = 0; i < result.size(); ++i)
    if (i + 1 == result.size() || place(result[i]) != place(result[i + 1]))
      result[kept++] = result[i];
  result.resize(kept);
  return result;
}

} // namespace ebb
