#include "actors/dataflow/key_index.hpp"

#include "actors/dataflow/key_store.hpp"
#include "actors/dataflow/key_table.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

constexpr std::uint32_t chunk = key_store::chunk;
// Up to this many keys one table serves all key groups: most panes are small, and a table a group
// would cost each of them several KiB.
constexpr std::uint32_t split_at = 512;
// Below this size tables and keys stay in the second-level cache and prefetching only costs.
constexpr std::size_t prefetch_from = std::size_t{192} << 10;

} // namespace

struct key_index::impl {
  impl(std::vector<sql_type> key_types, std::uint16_t key_groups)
      : keys(std::move(key_types)), groups(key_groups), tables(1) {
    EBB_ASSERT(key_groups != 0);
  }

  [[nodiscard]] key_table& table_of(std::uint64_t hash) noexcept {
    return tables[split ? key_group_of(hash, groups) : 0];
  }

  [[nodiscard]] const key_table& table_of(std::uint64_t hash) const noexcept {
    return tables[split ? key_group_of(hash, groups) : 0];
  }

  [[nodiscard]] std::size_t table_bytes() const noexcept {
    std::size_t bytes = tables.capacity() * sizeof(key_table);
    for (const auto& table : tables)
      bytes += table.byte_size();
    return bytes;
  }

  /// Makes a slot for a new key; the caller stores the key.
  std::uint32_t add(std::uint64_t hash) {
    if (!split && live >= split_at && groups > 1)
      split_tables();
    std::uint32_t slot = 0;
    if (!free.empty()) {
      slot = free.back();
      free.pop_back();
    } else {
      slot = static_cast<std::uint32_t>(hashes.size());
      EBB_ASSERT(slot < no_slot);
      hashes.push_back(0);
      keys.add_slot();
    }
    hashes[slot] = hash;
    table_of(hash).insert(static_cast<std::uint32_t>(hash), slot);
    ++live;
    return slot;
  }

  void split_tables() {
    std::vector<key_table> next(groups);
    tables[0].for_each([&](std::uint32_t slot) {
      const auto hash = hashes[slot];
      next[key_group_of(hash, groups)].insert(static_cast<std::uint32_t>(hash), slot);
    });
    tables = std::move(next);
    split = true;
  }

  void note_size() noexcept {
    far = hashes.size() * (keys.record_bytes() + 2 * sizeof(key_table::entry)) > prefetch_from;
  }

  /// Finds, and makes where `Make`, the slots of one chunk of probes.
  template <class Probe, bool Make>
  void probe_chunk(const Probe& probe, const std::uint64_t* chunk_hashes, std::uint32_t count,
                   std::uint32_t* slots) {
    if (far) {
      for (std::uint32_t j = 0; j < count; ++j)
        table_of(chunk_hashes[j]).prefetch(static_cast<std::uint32_t>(chunk_hashes[j]));
      for (std::uint32_t j = 0; j < count; ++j) {
        const auto hash = chunk_hashes[j];
        const auto guess = table_of(hash).first_guess(static_cast<std::uint32_t>(hash));
        if (guess != no_slot)
          keys.prefetch(guess);
      }
    }
    for (std::uint32_t j = 0; j < count; ++j) {
      const auto hash = chunk_hashes[j];
      auto slot = table_of(hash).find(static_cast<std::uint32_t>(hash),
                                      [&](std::uint32_t s) { return probe.equal(keys, s, j); });
      if constexpr (Make) {
        if (slot == no_slot) [[unlikely]] {
          slot = add(hash);
          probe.store(keys, slot, j);
        }
        keys.touch(slot, mark);
      }
      slots[j] = slot;
    }
    if constexpr (Make)
      note_size();
  }

  template <bool Make>
  void run(std::span<const column* const> columns, const std::uint64_t* all_hashes,
           const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots) {
    if (columns.empty() && live == 1) { // one group of all rows
      std::fill_n(slots, count, tables[0].any());
      if constexpr (Make)
        keys.touch(tables[0].any(), mark);
      return;
    }
    std::uint64_t picked[chunk];
    keys.with_probe([&](auto& probe) {
      for (std::uint32_t first = 0; first < count; first += chunk) {
        const auto n = std::min(chunk, count - first);
        const std::uint64_t* chunk_hashes = all_hashes + first;
        if (picks != nullptr) {
          for (std::uint32_t j = 0; j < n; ++j)
            picked[j] = all_hashes[picks[first + j]];
          chunk_hashes = picked;
        }
        probe.load(columns, picks == nullptr ? nullptr : picks + first, first, n);
        probe_chunk<std::decay_t<decltype(probe)>, Make>(probe, chunk_hashes, n, slots + first);
      }
    });
  }

  key_store keys;
  std::uint16_t groups;
  bool split = false; ///< one table a key group; else tables[0] serves all
  bool far = false;   ///< large enough for prefetching to pay
  std::uint32_t live = 0;
  std::uint32_t mark = 1;
  std::vector<key_table> tables;
  std::vector<std::uint64_t> hashes; ///< by slot
  std::vector<std::uint32_t> free;
};

key_index::key_index(std::vector<sql_type> key_types, std::uint16_t key_groups)
    : impl_(std::make_unique<impl>(std::move(key_types), key_groups)) {}

key_index::~key_index() = default;
key_index::key_index(key_index&&) noexcept = default;
key_index& key_index::operator=(key_index&&) noexcept = default;

void key_index::resolve(std::span<const column* const> keys, const std::uint64_t* hashes,
                        const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots) {
  impl_->run<true>(keys, hashes, picks, count, slots);
}

void key_index::find(std::span<const column* const> keys, const std::uint64_t* hashes,
                     const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots) const {
  impl_->run<false>(keys, hashes, picks, count, slots);
}

void key_index::resolve_from(const key_index& from, std::span<const std::uint32_t> theirs,
                             std::uint32_t* into) {
  auto& x = *impl_;
  const auto& other = *from.impl_;
  std::uint64_t hashes[chunk];
  for (std::size_t first = 0; first < theirs.size(); first += chunk) {
    const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(chunk, theirs.size() - first));
    const key_store::slot_probe probe{other.keys, theirs.data() + first};
    for (std::uint32_t j = 0; j < n; ++j)
      hashes[j] = other.hashes[theirs[first + j]];
    x.probe_chunk<key_store::slot_probe, true>(probe, hashes, n, into + first);
  }
}

std::uint32_t key_index::slot_count() const noexcept {
  return static_cast<std::uint32_t>(impl_->hashes.size());
}

std::uint32_t key_index::live() const noexcept {
  return impl_->live;
}

void key_index::erase(std::uint32_t slot) {
  auto& x = *impl_;
  const auto hash = x.hashes[slot];
  x.table_of(hash).erase(static_cast<std::uint32_t>(hash), slot);
  x.keys.remove(slot);
  x.free.push_back(slot);
  --x.live;
}

void key_index::clear() {
  auto& x = *impl_;
  x.tables = std::vector<key_table>(1);
  x.split = false;
  x.far = false;
  x.live = 0;
  x.hashes.clear();
  x.free.clear();
  x.keys.clear();
}

column key_index::key_column(std::size_t k, std::span<const std::uint32_t> slots) const {
  return impl_->keys.key_column(k, slots);
}

bool key_index::exact() const noexcept {
  return impl_->keys.exact();
}

std::uint64_t key_index::hash_of(std::uint32_t slot) const noexcept {
  return impl_->hashes[slot];
}

void key_index::encode(std::uint32_t slot, std::string& out) const {
  impl_->keys.encode(slot, out);
}

result<std::uint32_t> key_index::resolve_encoded(std::string_view key) {
  const auto& types = impl_->keys.types();
  std::vector<column> values;
  values.reserve(types.size());
  std::vector<const column*> columns;
  for (const auto& type : types) {
    EBB_ASSIGN(auto value, decode_key_value(key, type));
    values.push_back(std::move(value));
  }
  if (!key.empty())
    return make_error(ec::corrupt, "a stored key is longer than its columns");
  for (const auto& value : values)
    columns.push_back(&value);
  std::uint64_t hash = 0;
  hash_keys(columns, 1, &hash);
  std::uint32_t slot = 0;
  resolve(columns, &hash, nullptr, 1, &slot);
  return slot;
}

void key_index::slots_of_group(std::uint16_t group, std::vector<std::uint32_t>& out) const {
  const auto& x = *impl_;
  if (x.split) {
    x.tables[group].for_each([&](std::uint32_t slot) { out.push_back(slot); });
    return;
  }
  x.tables[0].for_each([&](std::uint32_t slot) {
    if (key_group_of(x.hashes[slot], x.groups) == group)
      out.push_back(slot);
  });
}

std::uint32_t key_index::mark() noexcept {
  return impl_->mark++;
}

void key_index::start_at(std::uint32_t mark) noexcept {
  impl_->mark = mark;
}

std::uint32_t key_index::changed_at(std::uint32_t slot) const noexcept {
  return impl_->keys.touched(slot);
}

void key_index::touch(std::uint32_t slot) noexcept {
  impl_->keys.touch(slot, impl_->mark);
}

std::size_t key_index::byte_size() const noexcept {
  const auto& x = *impl_;
  return sizeof(impl) + x.table_bytes() + x.keys.byte_size()
         + x.hashes.capacity() * sizeof(std::uint64_t) + x.free.capacity() * sizeof(std::uint32_t);
}

} // namespace ebb
