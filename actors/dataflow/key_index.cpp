#include "actors/dataflow/key_index.hpp"

#include "actors/dataflow/key_groups.hpp"
#include "actors/dataflow/key_store.hpp"
#include "actors/dataflow/key_table.hpp"
#include "actors/dataflow/word_table.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <utility>

namespace ebb {

namespace {

constexpr std::uint32_t chunk = key_store::chunk;
// Below this size tables and keys stay in the first-level cache and prefetching only costs. The
// second level they share with batches, other tables and other subtasks.
constexpr std::size_t prefetch_from = std::size_t{48} << 10;

using one_word_probe = key_store::word_probe<1>;

} // namespace

struct key_index::impl {
  impl(std::vector<sql_type> key_types, std::uint16_t key_groups)
      : keys(std::move(key_types)), group_count(key_groups), tables(key_groups), words(key_groups) {
    EBB_ASSERT(key_groups != 0);
  }

  /// Makes a slot for a new key; the caller stores the key and puts the slot into a table.
  std::uint32_t add(std::uint64_t hash) {
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
    ++live;
    return slot;
  }

  template <class Probe>
  std::uint32_t add_to_table(const Probe& probe, std::uint64_t hash, std::uint32_t j) {
    tables.expect(live, [&](const key_table& from, const auto& to) {
      from.for_each([&](std::uint32_t slot) { to(hashes[slot]).insert(hashes[slot], slot); });
    });
    const auto slot = add(hash);
    tables.of(hash).insert(hash, slot);
    probe.store(keys, slot, j);
    keys.stamp(slot, mark);
    return slot;
  }

  template <class Probe>
  std::uint32_t add_to_words(const Probe& probe, std::uint64_t hash, std::uint32_t j) {
    const auto slot = add(hash);
    if (probe.is_null(j)) {
      null_slot = slot;
    } else {
      words.expect(live, [&](const word_table& from, const auto& to) {
        from.for_each([&](std::uint64_t word, std::uint32_t s) { to(hashes[s]).insert(word, s); });
      });
      words.of(hash).insert(probe.word(j), slot);
    }
    probe.store(keys, slot, j);
    keys.stamp(slot, mark);
    return slot;
  }

  /// Finds, and makes where `Make`, the slots of one chunk of probes.
  template <bool Make, class Probe>
  void probe_chunk(const Probe& probe, const std::uint64_t* chunk_hashes, std::uint32_t count,
                   std::uint32_t* slots) {
    if (tables_are_far()) {
      for (std::uint32_t j = 0; j < count; ++j)
        tables.of(chunk_hashes[j]).prefetch(chunk_hashes[j]);
      for (std::uint32_t j = 0; j < count; ++j) {
        const auto guess = tables.of(chunk_hashes[j]).first_guess(chunk_hashes[j]);
        slots[j] = guess;
        if (guess != no_slot)
          keys.prefetch(guess);
      }
      for (std::uint32_t j = 0; j < count; ++j)
        if (slots[j] != no_slot)
          keys.prefetch_bytes(slots[j]);
    }
    for (std::uint32_t j = 0; j < count; ++j) {
      const auto hash = chunk_hashes[j];
      auto slot =
          tables.of(hash).find(hash, [&](std::uint32_t s) { return probe.equal(keys, s, j); });
      if constexpr (Make) {
        if (slot == no_slot) [[unlikely]]
          slot = add_to_table(probe, hash, j);
        else
          keys.touch(slot, mark);
      }
      slots[j] = slot;
    }
  }

  /// The same for keys of one word.
  template <bool Make, class Probe>
  void probe_words(const Probe& probe, const std::uint64_t* chunk_hashes, std::uint32_t count,
                   std::uint32_t* slots) {
    if (tables_are_far())
      for (std::uint32_t j = 0; j < count; ++j)
        words.of(chunk_hashes[j]).prefetch(chunk_hashes[j]);
    for (std::uint32_t j = 0; j < count; ++j) {
      const auto hash = chunk_hashes[j];
      auto slot = probe.is_null(j) ? null_slot : words.of(hash).find(hash, probe.word(j));
      if constexpr (Make)
        if (slot == no_slot) [[unlikely]]
          slot = add_to_words(probe, hash, j);
      slots[j] = slot;
    }
    // All keys have the first mark until there is a second.
    if (Make && mark > 1)
      for (std::uint32_t j = 0; j < count; ++j)
        keys.touch(slots[j], mark);
  }

  template <bool Make>
  void run(std::span<const column* const> columns, const std::uint64_t* all_hashes,
           const std::uint32_t* picks, std::uint32_t count, std::uint32_t* slots) {
    if (columns.empty() && live == 1) { // one group of all rows
      const auto only = tables.of(0).any();
      std::fill_n(slots, count, only);
      if constexpr (Make)
        keys.touch(only, mark);
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
        if constexpr (std::is_same_v<std::decay_t<decltype(probe)>, one_word_probe>)
          probe_words<Make>(probe, chunk_hashes, n, slots + first);
        else
          probe_chunk<Make>(probe, chunk_hashes, n, slots + first);
      }
    });
  }

  [[nodiscard]] bool tables_are_far() const noexcept {
    // A key takes about 25 bytes of its table.
    return hashes.size() * (keys.one_word() ? 25 : keys.record_bytes() + 25) > prefetch_from;
  }

  key_store keys;
  std::uint16_t group_count;
  std::uint32_t live = 0;
  std::uint32_t mark = 1;
  key_groups<key_table> tables;
  key_groups<word_table> words; ///< instead of `tables`, for keys of one word that is not NULL
  std::uint32_t null_slot = no_slot;
  growing_array<std::uint64_t> hashes; ///< by slot
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

void key_index::resolve_restored(std::span<const column* const> keys, const std::uint64_t* hashes,
                                 std::uint32_t count, std::uint32_t* slots) {
  const auto mark = std::exchange(impl_->mark, 1);
  impl_->run<true>(keys, hashes, nullptr, count, slots);
  impl_->mark = mark;
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
    if (x.keys.one_word())
      x.probe_words<true>(probe, hashes, n, into + first);
    else
      x.probe_chunk<true>(probe, hashes, n, into + first);
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
  if (!x.keys.one_word())
    x.tables.of(hash).erase(hash, slot);
  else if (slot == x.null_slot)
    x.null_slot = no_slot;
  else
    x.words.of(hash).erase(x.keys.word(slot));
  x.keys.remove(slot);
  x.free.push_back(slot);
  --x.live;
}

void key_index::clear() {
  auto& x = *impl_;
  x.tables.clear(x.live);
  x.words.clear(x.live);
  x.null_slot = no_slot;
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

std::span<const std::uint64_t> key_index::hashes() const noexcept {
  return impl_->hashes.all();
}

void key_index::encode(std::uint32_t slot, std::string& out) const {
  impl_->keys.encode(slot, out);
}

std::string_view key_index::encoded(std::uint32_t slot) const noexcept {
  return impl_->keys.encoded(slot);
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
  const auto take = [&](std::uint32_t slot) {
    if (key_group_of(x.hashes[slot], x.group_count) == group)
      out.push_back(slot);
  };
  if (!x.keys.one_word()) {
    x.tables.table_of_group(group).for_each(take);
    return;
  }
  x.words.table_of_group(group).for_each([&](std::uint64_t, std::uint32_t slot) { take(slot); });
  if (x.null_slot != no_slot)
    take(x.null_slot);
}

std::uint32_t key_index::mark() {
  impl_->keys.changes().unfreeze();
  impl_->keys.changes().start_mark();
  return impl_->mark++;
}

void key_index::freeze(std::uint32_t since) {
  impl_->keys.changes().freeze(since, impl_->mark, slot_count());
}

void key_index::unfreeze() {
  impl_->keys.changes().unfreeze();
}

bool key_index::frozen() const noexcept {
  return impl_->keys.changes().frozen();
}

std::vector<std::uint32_t>& key_index::preserved() noexcept {
  return impl_->keys.changes().preserved();
}

bool key_index::take_frozen(std::size_t most, std::vector<std::uint32_t>& out) {
  impl_->keys.take_frozen(most, out);
  return !impl_->keys.changes().all_taken();
}

void key_index::start_at(std::uint32_t mark) noexcept {
  impl_->mark = mark;
}

std::uint32_t key_index::changed_at(std::uint32_t slot) const noexcept {
  return impl_->keys.touched(slot);
}

void key_index::touch(std::uint32_t slot) {
  impl_->keys.touch(slot, impl_->mark);
}

std::size_t key_index::byte_size() const noexcept {
  const auto& x = *impl_;
  return sizeof(impl) + x.tables.byte_size() + x.words.byte_size() + x.keys.byte_size()
         + x.hashes.capacity() * sizeof(std::uint64_t) + x.free.capacity() * sizeof(std::uint32_t);
}

} // namespace ebb
