/// Saving of a changelog join while it goes on, and loading. What is kept are the rows of each
/// side; chains and numbers of partners are made anew.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/changelog_join_state.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

void changelog_join_state::mark() {
  for (auto& side : sides_)
    side.kept.mark();
  retention_.mark();
  cold_.begin();
}

void changelog_join_state::begin_save(change_mark since) {
  for (auto& side : sides_)
    side.kept.begin_save(since);
  sequences_.begin_save(next_sequences());
  retention_.begin_save(since);
}

bool changelog_join_state::save_slice(std::uint32_t& left, state_sink& sink) {
  for (auto& side : sides_)
    if (!side.kept.erase_slice(left, sink))
      return false;
  if (!retention_.erase_slice(left, sink))
    return false;
  sequences_.save_slice(left, sink);
  bool all = true;
  for (auto& side : sides_)
    all = all && side.kept.save_slice(left, sink);
  return all && retention_.save_slice(left, sink);
}

void changelog_join_state::save(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  if (key_group == unkeyed_group) {
    sequences_.put(next_sequences(), sink);
    return;
  }
  for (const auto& side : sides_)
    side.kept.save(key_group, since, sink);
  retention_.save(key_group, since, sink);
}

std::vector<std::uint64_t> changelog_join_state::next_sequences() const {
  return {rows(0).next_sequence(), rows(1).next_sequence()};
}

result<void> changelog_join_state::load(std::uint16_t key_group, std::uint16_t state,
                                        std::string_view key, std::string_view value,
                                        join_pairs* pairs) {
  if (state == key_retention::state)
    return retention_.load(key, value);
  if (state == saved_sequences::state) {
    EBB_TRY(sequences_.load(key, value));
    for (std::size_t s = 0; s < 2; ++s)
      sides_[s].kept.skip_sequences(sequences_.restored(s));
    return {};
  }
  const auto found = std::find_if(sides_.begin(), sides_.end(),
                                  [&](const join_side& x) { return x.kept.owns(state); });
  if (found == sides_.end())
    return make_error(ec::corrupt, "a join's state entry has an unknown kind");
  auto& side = *found;
  cold_.loads(key_group);
  numbers_.clear();
  EBB_TRY(side.kept.load(key_group, state, key, value, numbers_));
  if (numbers_.empty())
    return {};
  const auto& rows = side.kept.rows();
  resolve_stored(index_, rows, side.kept.keys(), numbers_, slots_);
  heads_.resize(std::max<std::size_t>(heads_.size(), index_.slot_count()));
  grow(side);
  if (side.updating) {
    std::vector<std::uint32_t> columns(rows.types().size());
    std::iota(columns.begin(), columns.end(), 0U);
    hashes_.resize(std::max(hashes_.size(), numbers_.size()));
    hash_stored(rows, columns, numbers_, hashes_.data());
    for (std::size_t i = 0; i < numbers_.size(); ++i) {
      const auto hash = static_cast<std::uint32_t>(hashes_[i]);
      side.hashes.at(rows, numbers_[i]) = hash;
      side.finder.insert(hash, numbers_[i]);
    }
  }
  const auto s = static_cast<std::size_t>(found - sides_.begin());
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    link(s, slots_[i], numbers_[i]);
  if (pairs != nullptr && (counts_partners(0) || counts_partners(1)))
    return count_partners(s, *pairs);
  return {};
}

// Of the rows of side s that were just loaded, with what is there of the other: so each pair is
// counted once, with the one of its rows that comes last.
result<void> changelog_join_state::count_partners(std::size_t s, join_pairs& pairs) {
  row_pairs met;
  const auto count = [&]() -> result<void> {
    EBB_TRY(pairs.keep_matching(rows(0), rows(1), met));
    for (std::uint32_t i = 0; i < met.size(); ++i) {
      if (counts_partners(0))
        ++partners(0, met.left[i]);
      if (counts_partners(1))
        ++partners(1, met.right[i]);
    }
    met.clear();
    return {};
  };
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    for (auto other = head(slots_[i], 1 - s); other != no_row; other = older(1 - s, other)) {
      if (s == 0)
        met.add(numbers_[i], other);
      else
        met.add(other, numbers_[i]);
      if (met.size() == row_store::chunk_rows)
        EBB_TRY(count());
    }
  return count();
}

void changelog_join_state::wish(const stream_item& item, state_wishes& wishes) {
  if (!sequences_.known())
    cold_.wish_all(wishes); // before anything is saved
  if (!sequences_.known() || item.kind != item_kind::batch)
    return;
  const auto& rows = *item.rows;
  const auto& keys = sides_[item.input].kept.keys();
  const bool all = rows_without_nulls(rows, keys, picks_);
  cold_.wish(rows, keys, all ? nullptr : &picks_, wishes);
}

void changelog_join_state::all_loaded() {
  for (auto& side : sides_)
    if (!sequences_.known())
      side.kept.all_were_saved();
  cold_.all_loaded();
}

std::size_t changelog_join_state::byte_size() const noexcept {
  auto bytes =
      retention_.byte_size() + index_.byte_size() + heads_.capacity() * sizeof(chain_heads);
  for (const auto& side : sides_)
    bytes += side.kept.byte_size() + side.finder.byte_size()
             + side.kept.rows().rows() * sizeof(std::uint32_t)
                   * (1U + (side.updating ? 2U : 0U) + (side.counts_partners ? 1U : 0U));
  return bytes;
}

} // namespace ebb
