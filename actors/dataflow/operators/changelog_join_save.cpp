/// Saving of a changelog join while it goes on, and loading. What is kept are the rows of each
/// side; chains and numbers of partners are made anew.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/changelog_join_state.hpp"

#include <algorithm>

namespace ebb {

void changelog_join_state::mark() {
  for (auto& side : sides_)
    side.kept.mark();
}

void changelog_join_state::begin_save(change_mark since) {
  for (auto& side : sides_)
    side.kept.begin_save(since);
}

bool changelog_join_state::save_slice(std::uint32_t& left, state_sink& sink) {
  for (auto& side : sides_)
    if (!side.kept.erase_slice(left, sink))
      return false;
  bool all = true;
  for (auto& side : sides_)
    all = all && side.kept.save_slice(left, sink);
  return all;
}

void changelog_join_state::save(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  for (const auto& side : sides_)
    side.kept.save(key_group, since, sink);
}

result<void> changelog_join_state::load(std::uint16_t state, std::string_view key,
                                        std::string_view value) {
  if (state > 1)
    return make_error(ec::corrupt, "a join's state entry has an unknown kind");
  auto& side = sides_[state];
  EBB_ASSIGN(const auto row, side.kept.load(key, value));
  if (last_slot_ == no_row || key != last_key_) {
    EBB_ASSIGN(last_slot_, index_.resolve_encoded(key));
    last_key_ = key;
  }
  heads_.resize(std::max<std::size_t>(heads_.size(), index_.slot_count()));
  grow(side);
  link(state, last_slot_, row);
  return {};
}

result<void> changelog_join_state::finish_load(join_pairs& pairs) {
  last_slot_ = no_row;
  for (auto& side : sides_) {
    const auto& rows = side.kept.rows();
    for (std::uint32_t chunk = 0; side.updating && chunk < rows.chunk_count(); ++chunk) {
      std::vector<column> values;
      std::vector<const column*> columns;
      for (std::size_t k = 0; k < rows.types().size(); ++k)
        values.push_back(rows.chunk_column(chunk, k));
      for (const auto& x : values)
        columns.push_back(&x);
      std::vector<std::uint64_t> hashes(rows.rows_in(chunk));
      hash_keys(columns, rows.rows_in(chunk), hashes.data());
      for (std::uint32_t i = 0; i < hashes.size(); ++i) {
        const auto hash = static_cast<std::uint32_t>(hashes[i]);
        side.hashes.at(rows, rows.row_at(chunk, i)) = hash;
        side.finder.insert(hash, rows.row_at(chunk, i));
      }
    }
  }
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
  auto bytes = index_.byte_size() + heads_.capacity() * sizeof(chain_heads);
  for (const auto& side : sides_)
    bytes += side.kept.byte_size() + side.finder.byte_size()
             + side.kept.rows().rows() * sizeof(std::uint32_t)
                   * (1U + (side.updating ? 2U : 0U) + (side.counts_partners ? 1U : 0U));
  return bytes;
}

} // namespace ebb
