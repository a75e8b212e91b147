#include "actors/dataflow/operators/value_set.hpp"

#include "actors/dataflow/operators/missing_row.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>

namespace ebb {

namespace {

constexpr std::size_t owner_bytes = 5; ///< of an encoded INTEGER

buffer_ptr no_rows(std::uint32_t rows) {
  const std::size_t bytes = (std::size_t{rows} + 7) / 8;
  auto bits = buffer_ptr::make(std::max<std::size_t>(1, bytes));
  std::memset(bits.as<std::uint8_t>(), 0, bytes);
  return bits;
}

} // namespace

void value_set::make_masks(std::uint32_t rows, std::span<const std::uint8_t* const> included) {
  std::uint32_t all = 0;
  for (std::size_t v = 0; v < variants_; ++v)
    all |= included[v] == nullptr ? 1U << v : 0U;
  masks_.assign(rows, all);
  for (std::size_t v = 0; v < variants_; ++v)
    if (const auto* bits = included[v]; bits != nullptr)
      for (std::uint32_t i = 0; i < rows; ++i)
        masks_[i] |= static_cast<std::uint32_t>((bits[i >> 3] >> (i & 7)) & 1) << v;
  picks_.clear();
  for (std::uint32_t i = 0; i < rows; ++i)
    if (masks_[i] != 0)
      picks_.push_back(i);
}

void value_set::make_room() {
  const auto count = index_.slot_count();
  if (updating_) {
    counts_.resize(count * variants_, 0);
    owners_.resize(count, 0);
    born_.resize(count, 0);
  } else {
    bits_.resize(count, 0);
  }
}

result<void> value_set::add(std::span<const std::uint32_t> slots, std::span<const column> args,
                            std::span<const std::uint8_t* const> included,
                            const std::int32_t* weights, changes& out) {
  const auto rows = static_cast<std::uint32_t>(slots.size());
  make_masks(rows, included);
  out.included.clear();
  out.weights.clear();
  for (std::size_t v = 0; v < variants_; ++v)
    out.included.push_back(no_rows(rows));
  column owners = make_column(sql_type{type_kind::integer}, rows);
  std::copy(slots.begin(), slots.end(), owners.mutable_data<std::uint32_t>());
  std::vector<const column*> keys{&owners};
  for (std::size_t k = 0; k < types_.size(); ++k)
    keys.push_back(&args[k]);
  hashes_.resize(rows);
  hash_keys(keys, rows, hashes_.data());
  entries_.resize(picks_.size());
  if (updating_)
    return add_counts(slots, keys, included, weights, out);
  add_bits(slots, keys, included, out);
  return {};
}

void value_set::add_bits(std::span<const std::uint32_t>, const std::vector<const column*>& keys,
                         std::span<const std::uint8_t* const>, changes& out) {
  const auto count = static_cast<std::uint32_t>(picks_.size());
  index_.find(keys, hashes_.data(), picks_.data(), count, entries_.data());
  missing_.clear();
  for (std::uint32_t j = 0; j < count; ++j) {
    const auto e = entries_[j];
    if (e == key_index::no_slot)
      missing_.push_back(j);
    else if ((masks_[picks_[j]] & ~bits_[e]) != 0)
      index_.touch(e);
  }
  preserve();
  if (!missing_.empty()) {
    std::vector<std::uint32_t> rows;
    rows.reserve(missing_.size());
    for (const auto j : missing_)
      rows.push_back(picks_[j]);
    made_.resize(rows.size());
    index_.resolve(keys, hashes_.data(), rows.data(), static_cast<std::uint32_t>(rows.size()),
                   made_.data());
    for (std::size_t m = 0; m < made_.size(); ++m)
      entries_[missing_[m]] = made_[m];
    make_room();
  }
  for (std::uint32_t j = 0; j < count; ++j) {
    const auto i = picks_[j];
    auto& bits = bits_[entries_[j]];
    auto fresh = masks_[i] & ~bits;
    bits |= fresh;
    for (; fresh != 0; fresh &= fresh - 1)
      set_bit(out.included[static_cast<std::size_t>(std::countr_zero(fresh))].as<std::uint8_t>(),
              i);
  }
}

result<void> value_set::add_counts(std::span<const std::uint32_t> slots,
                                   const std::vector<const column*>& keys,
                                   std::span<const std::uint8_t* const>,
                                   const std::int32_t* weights, changes& out) {
  const auto count = static_cast<std::uint32_t>(picks_.size());
  out.weights.assign(variants_, std::vector<std::int32_t>(slots.size(), 0));
  index_.resolve(keys, hashes_.data(), picks_.data(), count, entries_.data());
  make_room();
  preserve();
  appeared_.clear();
  vanished_.clear();
  std::vector<std::uint32_t> emptied;
  for (std::uint32_t j = 0; j < count; ++j) {
    const auto i = picks_[j];
    const auto e = entries_[j];
    if (born_[e] == 0) {
      born_[e] = now_;
      owners_[e] = slots[i];
      appeared_.push_back(e);
    }
    const std::int64_t weight = weights == nullptr ? 1 : weights[i];
    auto* counts = counts_.data() + e * variants_;
    for (auto mask = masks_[i]; mask != 0; mask &= mask - 1) {
      const auto v = static_cast<std::size_t>(std::countr_zero(mask));
      const bool before = counts[v] > 0;
      counts[v] += weight;
      if (forgives_)
        counts[v] = std::max<std::int64_t>(counts[v], 0);
      const bool after = counts[v] > 0;
      if (before == after)
        continue;
      out.weights[v][i] = after ? 1 : -1;
      set_bit(out.included[v].as<std::uint8_t>(), i);
    }
    if (weight < 0)
      emptied.push_back(e);
  }
  std::sort(emptied.begin(), emptied.end());
  emptied.erase(std::unique(emptied.begin(), emptied.end()), emptied.end());
  for (const auto e : emptied) {
    const auto* counts = counts_.data() + e * variants_;
    if (std::any_of(counts, counts + variants_, [](auto x) { return x < 0; })) {
      std::size_t j = 0;
      while (entries_[j] != e || weights[picks_[j]] >= 0)
        ++j;
      auto problem = missing_row("", {}, picks_[j]);
      problem.row = picks_[j];
      return problem;
    }
    if (std::all_of(counts, counts + variants_, [](auto x) { return x == 0; }))
      vanished_.push_back(e);
  }
  return {};
}

void value_set::drop_owners(std::span<const std::uint8_t> marked) {
  for (std::uint32_t e = 0; e < born_.size(); ++e)
    if (born_[e] != 0 && owners_[e] < marked.size() && marked[owners_[e]] != 0)
      index_.touch(e);
  preserve();
  for (std::uint32_t e = 0; e < born_.size(); ++e) {
    if (born_[e] == 0 || owners_[e] >= marked.size() || marked[owners_[e]] == 0)
      continue;
    std::fill_n(counts_.begin() + static_cast<std::ptrdiff_t>(e * variants_), variants_, 0);
    vanished_.push_back(e);
  }
}

void value_set::forget() {
  for (const auto e : vanished_) {
    // What no save has seen need not be erased.
    if (born_[e] < now_)
      erased_.add(now_, key_group_of(groups_.hash_of(owners_[e]), key_groups_), key_of(e));
    born_[e] = 0;
    index_.erase(e);
  }
  vanished_.clear();
  appeared_.clear();
}

std::string value_set::key_of(std::uint32_t entry) const {
  std::string key;
  groups_.encode(owners_[entry], key);
  key.push_back(static_cast<char>(number_));
  std::string own;
  index_.encode(entry, own);
  key.append(own, owner_bytes);
  return key;
}

void value_set::preserve() {
  if (early_ == nullptr || index_.preserved().empty()) [[likely]]
    return;
  if (in_blocks_)
    for (const auto e : index_.preserved())
      preserved_.push_back({e, bits_[e], 0});
  else
    put(index_.preserved(), *early_);
  index_.preserved().clear();
}

change_mark value_set::mark() {
  end_save();
  index_.mark();
  erased_.forget(asked_);
  return now_++;
}

void value_set::begin_save(change_mark since, saved_entries& early) {
  early_ = &early;
  since_ = since;
  asked_ = std::max(asked_, since);
  erased_end_ = erased_.end();
  next_erased_ = since == 0 ? erased_end_ : erased_.first_after(since);
  index_.freeze(since);
  more_frozen_ = true;
}

void value_set::end_save() {
  if (early_ == nullptr)
    return;
  early_ = nullptr;
  index_.unfreeze();
  preserved_ = {};
  window_ = {};
  runs_.clear();
  next_run_ = 0;
}

bool value_set::erase_slice(std::uint32_t& left, state_sink& sink) {
  erased_.save(next_erased_, erased_end_, since_, state_, left, sink);
  return next_erased_ == erased_end_;
}

bool value_set::save_slice(std::uint32_t& left, state_sink& sink) {
  if (early_ == nullptr)
    return true;
  if (in_blocks_) {
    const bool all = save_blocks(left, sink);
    if (all)
      end_save();
    return all;
  }
  std::vector<std::uint32_t> entries;
  const bool more = index_.take_frozen(left, entries);
  put(entries, sink);
  left -= std::min(left, static_cast<std::uint32_t>(std::max<std::size_t>(1, entries.size())));
  if (!more)
    end_save();
  return !more;
}

void value_set::save_group(std::span<const std::uint32_t> owners_of_group, std::uint16_t key_group,
                           change_mark since, state_sink& sink) const {
  if (since != 0)
    erased_.save_group(key_group, since, state_, sink);
  std::vector<std::uint32_t> entries;
  index_.slots_of_group(0, entries);
  std::erase_if(entries, [&](std::uint32_t e) { return index_.changed_at(e) <= since; });
  const auto owners = index_.key_column(0, entries);
  std::vector<std::uint32_t> own;
  for (std::uint32_t j = 0; j < entries.size(); ++j)
    if (std::binary_search(owners_of_group.begin(), owners_of_group.end(),
                           owners.data<std::uint32_t>()[j]))
      own.push_back(entries[j]);
  if (!in_blocks_)
    return put(own, sink);
  std::vector<marked_value> values;
  const auto own_owners = index_.key_column(0, own);
  for (std::uint32_t j = 0; j < own.size(); ++j)
    values.push_back({own[j], bits_[own[j]], own_owners.data<std::uint32_t>()[j]});
  if (!values.empty())
    put_block(values, sink);
}

std::size_t value_set::byte_size() const noexcept {
  return index_.byte_size() + bits_.capacity() * sizeof(std::uint32_t)
         + counts_.capacity() * sizeof(std::int64_t)
         + (owners_.capacity() + born_.capacity()) * sizeof(std::uint32_t)
         + (window_.capacity() + preserved_.capacity()) * sizeof(marked_value);
}

} // namespace ebb
