/// Blocks of value_set: many values of the groups of one key group in an entry.
///
/// Key, behind the set's number: hash of the value, so that no block that is there need be known for
/// another to have a key of its own (once it was a number of eight bytes). Value: version; number of groups and their keys' canonical bytes, each behind its length; a pack
/// (row_pack.hpp) whose sequences are places among these groups and whose columns are the values
/// and, last, the bits.
#include "actors/dataflow/operators/row_pack.hpp"
#include "actors/dataflow/operators/value_set.hpp"
#include "schemas/sized_text.hpp"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <numeric>
#include <xxhash.h>

namespace ebb {

namespace {

constexpr char version = 1;
constexpr std::size_t window_values = 16384;
constexpr std::uint32_t values_an_entry = 8; ///< cost about as much to look at
constexpr std::uint32_t puts_an_entry = 4;   ///< cost about as much to write
constexpr std::size_t block_values = 4096;

template <class T>
void put_raw(T x, std::string& out) {
  out.append(reinterpret_cast<const char*>(&x), sizeof x);
}

} // namespace

bool value_set::save_blocks(std::uint32_t& left, state_sink& sink) {
  while (left != 0) {
    if (next_run_ < runs_.size()) {
      const std::size_t first = next_run_ == 0 ? 0 : runs_[next_run_ - 1];
      const auto run = std::span(window_).subspan(first, runs_[next_run_] - first);
      put_block(run, sink);
      left -=
          std::min<std::uint32_t>(left, 1 + static_cast<std::uint32_t>(run.size()) / puts_an_entry);
      ++next_run_;
      continue;
    }
    if (next_run_ != 0) {
      window_.clear();
      runs_.clear();
      next_run_ = 0;
    }
    if (more_frozen_) {
      std::vector<std::uint32_t> entries;
      const auto most = std::min<std::size_t>(std::size_t{left} * values_an_entry,
                                              window_values - window_.size());
      more_frozen_ = index_.take_frozen(most, entries);
      for (const auto e : entries)
        window_.push_back({e, bits_[e], 0});
      left -= std::min<std::uint32_t>(
          left, 1 + static_cast<std::uint32_t>(entries.size()) / values_an_entry);
    } else if (!preserved_.empty()) {
      const auto count = std::min(preserved_.size(), window_values - window_.size());
      window_.insert(window_.end(), preserved_.end() - static_cast<std::ptrdiff_t>(count),
                     preserved_.end());
      preserved_.resize(preserved_.size() - count);
    }
    const bool all = !more_frozen_ && preserved_.empty();
    if (window_.size() == window_values || (all && !window_.empty())) {
      sort_window();
      left -= std::min<std::uint32_t>(
          left, 1 + static_cast<std::uint32_t>(window_.size()) / (4 * values_an_entry));
    } else if (all) {
      return true;
    }
  }
  return false;
}

// By key group.
void value_set::sort_window() {
  const auto count = window_.size();
  std::vector<std::uint32_t> entries(count);
  std::transform(window_.begin(), window_.end(), entries.begin(),
                 [](const marked_value& x) { return x.entry; });
  const auto owners = index_.key_column(0, entries);
  std::vector<std::uint16_t> groups(count);
  std::vector<std::uint32_t> ends(key_groups_ + std::size_t{1}, 0);
  for (std::size_t i = 0; i < count; ++i) {
    window_[i].owner = owners.data<std::uint32_t>()[i];
    groups[i] = key_group_of(groups_.hash_of(window_[i].owner), key_groups_);
    ++ends[groups[i] + std::size_t{1}];
  }
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  runs_.clear();
  for (std::uint16_t g = 0; g < key_groups_; ++g)
    for (auto first = ends[g]; first != ends[g + std::size_t{1}];) {
      first = std::min(first + static_cast<std::uint32_t>(block_values), ends[g + std::size_t{1}]);
      runs_.push_back(first);
    }
  std::vector<marked_value> sorted(count);
  for (std::size_t i = 0; i < count; ++i)
    sorted[ends[groups[i]]++] = window_[i];
  window_ = std::move(sorted);
}

void value_set::put_block(std::span<marked_value> values, state_sink& sink) const {
  std::sort(values.begin(), values.end(), [](const marked_value& a, const marked_value& b) {
    return a.owner != b.owner ? a.owner < b.owner : a.entry < b.entry;
  });
  const auto count = static_cast<std::uint32_t>(values.size());
  std::vector<std::uint64_t> places(count);
  std::vector<std::uint32_t> entries(count);
  auto bits = make_column(sql_type{type_kind::integer}, count);
  pack_bytes keys;
  std::string key;
  std::uint32_t owners = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (i == 0 || values[i].owner != values[i - 1].owner) {
      key.clear();
      groups_.encode(values[i].owner, key);
      keys.append_raw(static_cast<std::uint32_t>(key.size()));
      keys.append(key);
      ++owners;
    }
    places[i] = owners - 1;
    entries[i] = values[i].entry;
    bits.mutable_data<std::uint32_t>()[i] = values[i].bits;
  }
  pack_bytes value;
  value.append_raw(version);
  value.append_raw(owners);
  value.append(keys.view());
  begin_pack(places, types_.size() + 1, value);
  for (std::size_t k = 0; k < types_.size(); ++k)
    append_pack_column(index_.key_column(k + 1, entries), 0, count, value);
  append_pack_column(bits, 0, count, value);
  key.assign(1, static_cast<char>(number_));
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(value.view().data(), value.size()));
  put_raw(hash, key);
  sink.select_group(key_group_of(groups_.hash_of(values.front().owner), key_groups_));
  sink.put(block_state, key, value.view());
}

result<void> value_set::load_block(std::string_view key, std::string_view value,
                                   const find_owner& owner_of) {
  const auto corrupt = [] { return make_error(ec::corrupt, "a block of values cannot be read"); };
  std::uint32_t count = 0;
  if (!in_blocks_ || (key.size() != sizeof(XXH128_canonical_t) && key.size() != 8) || value.size() < 1 + sizeof count
      || value.front() != version)
    return corrupt();
  std::memcpy(&count, value.data() + 1, sizeof count);
  value.remove_prefix(1 + sizeof count);
  std::vector<std::uint32_t> owners;
  while (owners.size() < count) {
    const auto own = take_sized(value);
    if (!own)
      return corrupt();
    EBB_ASSIGN(const auto slot, owner_of(*own));
    owners.push_back(slot);
  }
  EBB_ASSIGN(auto pack, take_pack(value));
  const auto rows = pack.rows.rows;
  auto& columns = pack.rows.columns;
  bool good = value.empty() && columns.size() == types_.size() + 1
              && columns.back().type.kind == type_kind::integer
              && std::all_of(pack.sequences.begin(), pack.sequences.end(),
                             [&](std::uint64_t x) { return x < count; });
  for (std::size_t k = 0; good && k < types_.size(); ++k) {
    good = columns[k].type.kind == types_[k].kind;
    columns[k].type = types_[k];
  }
  if (!good)
    return corrupt();
  auto owner_column = make_column(sql_type{type_kind::integer}, rows);
  for (std::uint32_t i = 0; i < rows; ++i)
    owner_column.mutable_data<std::uint32_t>()[i] = owners[pack.sequences[i]];
  std::vector<const column*> keys{&owner_column};
  for (std::size_t k = 0; k < types_.size(); ++k)
    keys.push_back(&columns[k]);
  hashes_.resize(rows);
  hash_keys(keys, rows, hashes_.data());
  entries_.resize(rows);
  index_.resolve_restored(keys, hashes_.data(), rows, entries_.data());
  make_room();
  for (std::uint32_t i = 0; i < rows; ++i)
    bits_[entries_[i]] |= columns.back().data<std::uint32_t>()[i];
  return {};
}

} // namespace ebb
