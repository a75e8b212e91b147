/// Saving of a changelog join while it goes on, and loading. What is kept are the rows of each
/// side; chains and numbers of partners are made anew.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/changelog_join_state.hpp"

#include <algorithm>

namespace ebb {

void changelog_join_state::mark() {
  for (auto& side : sides_)
    side.kept.mark();
  retention_.mark();
}

void changelog_join_state::begin_save(change_mark since) {
  for (auto& side : sides_)
    side.kept.begin_save(since);
  retention_.begin_save(since);
}

bool changelog_join_state::save_slice(std::uint32_t& left, state_sink& sink) {
  for (auto& side : sides_)
    if (!side.kept.erase_slice(left, sink))
      return false;
  if (!retention_.erase_slice(left, sink))
    return false;
  bool all = true;
  for (auto& side : sides_)
    all = all && side.kept.save_slice(left, sink);
  return all && retention_.save_slice(left, sink);
}

void changelog_join_state::save(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  for (const auto& side : sides_)
    side.kept.save(key_group, since, sink);
  retention_.save(key_group, since, sink);
}

result<void> changelog_join_state::load(std::uint16_t key_group, std::uint16_t state,
                                        std::string_view key, std::string_view value) {
  if (state == key_retention::state)
    return retention_.load(key, value);
  const auto found = std::find_if(sides_.begin(), sides_.end(),
                                  [&](const join_side& x) { return x.kept.owns(state); });
  if (found == sides_.end())
    return make_error(ec::corrupt, "a join's state entry has an unknown kind");
  auto& side = *found;
  numbers_.clear();
  EBB_TRY(side.kept.load(key_group, state, key, value, numbers_));
  if (numbers_.empty())
    return {};
  resolve_stored(index_, side.kept.rows(), side.kept.keys(), numbers_, slots_);
  heads_.resize(std::max<std::size_t>(heads_.size(), index_.slot_count()));
  grow(side);
  const auto s = static_cast<std::size_t>(found - sides_.begin());
  for (std::size_t i = 0; i < numbers_.size(); ++i)
    link(s, slots_[i], numbers_[i]);
  return {};
}

void changelog_join_state::finish_tables() {
  for (auto& side : sides_) {
    const auto& rows = side.kept.rows();
    for (std::uint32_t chunk = 0; side.updating && chunk < rows.chunk_count(); ++chunk) {
      const auto hashes = hash_chunk(rows, chunk);
      for (std::uint32_t i = 0; i < hashes.size(); ++i) {
        const auto hash = static_cast<std::uint32_t>(hashes[i]);
        side.hashes.at(rows, rows.row_at(chunk, i)) = hash;
        side.finder.insert(hash, rows.row_at(chunk, i));
      }
    }
  }
}

result<void> changelog_join_state::finish_load(join_pairs& pairs) {
  finish_tables();
  retention_.finish_load();
  if (!counts_partners(0) && !counts_partners(1))
    return {};
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
  for (const auto& heads : heads_)
    for (auto left = heads.of[0]; left != no_row; left = older(0, left))
      for (auto right = heads.of[1]; right != no_row; right = older(1, right)) {
        met.add(left, right);
        if (met.size() == row_store::chunk_rows)
          EBB_TRY(count());
      }
  return count();
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
