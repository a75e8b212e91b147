#include "actors/dataflow/operators/changelog_join_state.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/missing_row.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::vector<sql_type> types_of(const std::vector<sql_type>& types,
                               const std::vector<std::uint32_t>& keys) {
  std::vector<sql_type> result;
  for (const auto k : keys)
    result.push_back(types[k]);
  return result;
}

/// Whether a row without partners shows, or one with some.
bool shows_partners(changelog_join_kind kind, std::size_t side) noexcept {
  switch (kind) {
  case changelog_join_kind::inner:
    return false;
  case changelog_join_kind::full:
    return true;
  case changelog_join_kind::right:
    return side == 1;
  default:
    return side == 0;
  }
}

} // namespace

changelog_join_state::join_side::join_side(const std::vector<sql_type>& types,
                                           std::vector<std::uint32_t> keys, bool updates,
                                           bool counts, std::uint16_t state,
                                           std::uint16_t key_groups)
    : kept(types, std::move(keys), updates, state, key_groups), net(types), updating(updates),
      counts_partners(counts) {}

changelog_join_state::changelog_join_state(const changelog_join_spec& spec,
                                           const operator_context& context)
    : key_groups_(context.key_groups),
      index_(types_of(context.inputs[0], spec.left_keys), context.key_groups),
      retention_(spec.left_keys.empty() ? retention_spec{} : spec.retention, index_, context),
      // What may be dropped must be found as what is taken back.
      sides_{join_side(context.inputs[0], spec.left_keys, spec.left_updating || retention_.active(),
                       spec.residual && shows_partners(spec.kind, 0), 0, context.key_groups),
             join_side(context.inputs[1], spec.right_keys,
                       spec.right_updating || retention_.active(),
                       spec.residual && shows_partners(spec.kind, 1), 1, context.key_groups)},
      sequences_(context, 2), cold_({gone_states, gone_states + 1, row_states, row_states + 1},
                                    context.key_groups) {}

result<void> changelog_join_state::take(std::size_t s, const batch& rows, taken_batch& out) {
  auto& side = sides_[s];
  EBB_TRY(move_rows(s));
  out.changes.clear();
  out.lone_deleted.clear();
  out.lone_inserted.clear();
  side.net.take(rows, nullptr);
  const bool whole = rows_without_nulls(rows, side.kept.keys(), picks_);
  if (!side.net.deleted().empty())
    EBB_TRY(delete_rows(s, rows, out));
  EBB_TRY(insert_rows(s, rows, out));
  if (!whole) {
    const auto lone = [&](const std::vector<std::uint32_t>& all, std::vector<std::uint32_t>& to) {
      std::copy_if(all.begin(), all.end(), std::back_inserter(to), [&](std::uint32_t i) {
        return !std::binary_search(picks_.begin(), picks_.end(), i);
      });
    };
    lone(side.net.deleted(), out.lone_deleted);
    lone(side.net.inserted(), out.lone_inserted);
  }
  std::stable_sort(out.changes.begin(), out.changes.end(),
                   [](const change& a, const change& b) { return a.slot < b.slot; });
  return {};
}

// Slots of picked rows, whose keys are not NULL.
void changelog_join_state::resolve(const join_side& side, const batch& rows,
                                   const std::vector<std::uint32_t>& picks) {
  hashes_.resize(rows.rows);
  slots_.resize(picks.size());
  const auto keys = key_columns(rows, side.kept.keys());
  hash_keys(keys, rows.rows, hashes_.data());
  const auto count = static_cast<std::uint32_t>(picks.size());
  const auto looked_up = keys.empty() ? std::min(count, 1U) : count; // one chain of all
  index_.resolve(keys, hashes_.data(), picks.data(), looked_up, slots_.data());
  retention_.touch({slots_.data(), looked_up});
  if (looked_up < count)
    std::fill(slots_.begin() + 1, slots_.end(), slots_.front());
  heads_.resize(std::max<std::size_t>(heads_.size(), index_.slot_count()));
}

void changelog_join_state::look_up(std::size_t s, const batch& rows,
                                   const std::vector<std::uint32_t>& picks,
                                   std::vector<std::uint32_t>& slots) {
  slots.resize(picks.size());
  if (picks.empty())
    return;
  hashes_.resize(rows.rows);
  const auto keys = key_columns(rows, sides_[s].kept.keys());
  hash_keys(keys, rows.rows, hashes_.data());
  const auto count = static_cast<std::uint32_t>(picks.size());
  const auto looked_up = keys.empty() ? 1U : count; // one chain of all
  index_.find(keys, hashes_.data(), picks.data(), looked_up, slots.data());
  if (looked_up < count)
    std::fill(slots.begin() + 1, slots.end(), slots.front());
}

result<void> changelog_join_state::delete_rows(std::size_t s, const batch& rows, taken_batch& out) {
  auto& side = sides_[s];
  EBB_ASSERT(side.updating);
  std::vector<std::uint32_t> keyed;
  const auto& keys = side.kept.keys();
  for (const auto i : side.net.deleted())
    if (std::none_of(keys.begin(), keys.end(),
                     [&](std::uint32_t k) { return rows.columns[k].is_null(i); }))
      keyed.push_back(i);
  resolve(side, rows, keyed);
  numbers_.clear();
  for (std::size_t d = 0; d < keyed.size(); ++d) {
    const auto i = keyed[d];
    const auto hash = static_cast<std::uint32_t>(side.net.row_hashes()[i]);
    const auto row = side.finder.find(
        hash, [&](std::uint32_t x) { return side.net.equal(rows, i, side.kept.rows(), x); });
    if (row == no_row && retention_.active()) { // it was dropped
      emptied_.push_back(slots_[d]);
      continue;
    }
    if (row == no_row)
      return not_there(rows, i, side);
    side.finder.erase(hash, row);
    unlink(s, slots_[d], row);
    numbers_.push_back(row);
    out.changes.push_back({slots_[d], row, false});
    emptied_.push_back(slots_[d]);
  }
  side.kept.remove(numbers_);
  return {};
}

result<void> changelog_join_state::insert_rows(std::size_t s, const batch& rows, taken_batch& out) {
  auto& side = sides_[s];
  std::vector<std::uint32_t> keyed;
  const auto& keys = side.kept.keys();
  const bool whole = std::none_of(keys.begin(), keys.end(),
                                  [&](std::uint32_t k) { return rows.columns[k].has_nulls(); });
  const auto* picks = &side.net.inserted();
  if (!whole) {
    for (const auto i : side.net.inserted())
      if (std::none_of(keys.begin(), keys.end(),
                       [&](std::uint32_t k) { return rows.columns[k].is_null(i); }))
        keyed.push_back(i);
    picks = &keyed;
  }
  if (picks->empty())
    return {};
  const auto count = static_cast<std::uint32_t>(picks->size());
  resolve(side, rows, *picks);
  numbers_.resize(count);
  const bool all = count == rows.rows && !rows.weights;
  EBB_TRY(side.kept.append(rows, all ? nullptr : picks->data(), count, numbers_.data()));
  grow(side);
  if (side.updating && side.net.deleted().empty())
    side.net.hash_rows(rows);
  for (std::uint32_t j = 0; j < count; ++j) {
    if (side.updating) {
      const auto hash = static_cast<std::uint32_t>(side.net.row_hashes()[(*picks)[j]]);
      side.hashes.at(side.kept.rows(), numbers_[j]) = hash;
      side.finder.insert(hash, numbers_[j]);
    }
    link(s, slots_[j], numbers_[j]);
    out.changes.push_back({slots_[j], numbers_[j], true});
  }
  return {};
}

void changelog_join_state::grow(join_side& side) {
  side.older.grow(side.kept.rows(), no_row);
  if (side.updating) {
    side.newer.grow(side.kept.rows(), no_row);
    side.hashes.grow(side.kept.rows(), 0);
  }
  if (side.counts_partners)
    side.partners.grow(side.kept.rows(), 0);
}

void changelog_join_state::link(std::size_t s, std::uint32_t slot, std::uint32_t row) {
  auto& side = sides_[s];
  auto& heads = heads_[slot];
  side.older.at(side.kept.rows(), row) = heads.of[s];
  if (side.updating && heads.of[s] != no_row)
    side.newer.at(side.kept.rows(), heads.of[s]) = row;
  heads.of[s] = row;
  ++heads.count[s];
}

void changelog_join_state::unlink(std::size_t s, std::uint32_t slot, std::uint32_t row) {
  auto& side = sides_[s];
  const auto& rows = side.kept.rows();
  const auto older = side.older.at(rows, row);
  const auto newer = side.newer.at(rows, row);
  if (newer == no_row)
    heads_[slot].of[s] = older;
  else
    side.older.at(rows, newer) = older;
  if (older != no_row)
    side.newer.at(rows, older) = newer;
  --heads_[slot].count[s];
}

void changelog_join_state::finish_batch() {
  std::sort(emptied_.begin(), emptied_.end());
  emptied_.erase(std::unique(emptied_.begin(), emptied_.end()), emptied_.end());
  for (const auto slot : emptied_)
    if (heads_[slot].count[0] + heads_[slot].count[1] == 0) {
      retention_.forget(slot);
      index_.erase(slot);
    }
  emptied_.clear();
}

bool changelog_join_state::drop_some(step_budget& budget) {
  if (!retention_.active())
    return false;
  slots_.clear();
  const bool more = retention_.sweep(budget, slots_);
  for (const auto slot : slots_)
    drop_key(slot);
  return more;
}

void changelog_join_state::drop_key(std::uint32_t slot) {
  for (std::size_t s = 0; s < 2; ++s) {
    auto& side = sides_[s];
    numbers_.clear();
    for (auto row = head(slot, s); row != no_row; row = older(s, row)) {
      side.finder.erase(side.hashes.at(side.kept.rows(), row), row);
      numbers_.push_back(row);
    }
    side.kept.remove(numbers_);
  }
  heads_[slot] = {};
  retention_.forget(slot);
  index_.erase(slot);
}

// Gives back memory of rows that went: the living ones of the oldest chunk move to the end.
result<void> changelog_join_state::move_rows(std::size_t s) {
  auto& side = sides_[s];
  if (!side.updating || !side.kept.wants_move() || !cold_.whole_groups())
    return {};
  EBB_TRY(side.kept.move_oldest(from_, to_));
  grow(side);
  const auto& rows = side.kept.rows();
  std::vector<std::uint64_t> hashes(from_.size());
  hash_stored(rows, side.kept.keys(), from_, hashes.data());
  for (std::size_t i = 0; i < from_.size(); ++i) {
    const auto row = to_[i];
    const auto older = side.older.at(rows, from_[i]);
    const auto newer = side.newer.at(rows, from_[i]);
    side.older.at(rows, row) = older;
    side.newer.at(rows, row) = newer;
    side.hashes.at(rows, row) = side.hashes.at(rows, from_[i]);
    side.finder.renumber(side.hashes.at(rows, row), from_[i], row);
    if (side.counts_partners)
      side.partners.at(rows, row) = side.partners.at(rows, from_[i]);
    if (older != no_row)
      side.newer.at(rows, older) = row;
    if (newer != no_row) {
      side.older.at(rows, newer) = row;
      continue;
    }
    std::vector<column> values;
    for (const auto k : side.kept.keys())
      values.push_back(rows.gather(k, &row, 1));
    std::uint32_t slot = 0;
    index_.find(pointers_to(values), &hashes[i], nullptr, 1, &slot);
    EBB_ASSERT(slot != key_index::no_slot);
    heads_[slot].of[s] = row;
  }
  side.kept.drop_moved();
  side.older.drop_oldest();
  side.newer.drop_oldest();
  side.hashes.drop_oldest();
  if (side.counts_partners)
    side.partners.drop_oldest();
  return {};
}

error changelog_join_state::not_there(const batch& rows, std::uint32_t i,
                                      const join_side& side) const {
  return missing_row("its key is ", key_columns(rows, side.kept.keys()), i);
}

} // namespace ebb
