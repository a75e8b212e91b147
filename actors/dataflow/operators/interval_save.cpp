/// Saving of an interval join's state while the join goes on. Rows are only appended, and none is
/// dropped meanwhile, so what there was is found by sequence; who was settled, by change number.
#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/interval_state.hpp"

#include <algorithm>

namespace ebb {

void interval_state::begin_save(change_mark since, micros watermark) {
  EBB_ASSERT(next_task == tasks.size()); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= current_);
  save_.emplace();
  auto& x = *save_;
  x.since = since;
  x.until = current_ - 1;
  x.released = released;
  x.watermark = watermark;
  x.settled_end = since == 0 ? 0 : settled_log_.size();
  for (std::size_t s = 0; s < 2; ++s) {
    x.first[s] = is_spread(s) && rewrites(since) ? 0 : sides[s].marks.first_after(since);
    x.rows[s].start(sides[s].rows.rows(), x.first[s]);
  }
}

bool interval_state::save_slice(std::uint32_t entries, state_sink& sink) {
  if (!save_)
    return false;
  auto& x = *save_;
  auto left = std::max(1U, entries);
  // Before anything is put, what is gone is erased.
  for (; x.next_group <= own_.count && left != 0; ++x.next_group, --left) {
    const bool unkeyed = x.next_group == own_.count;
    sink.select_group(unkeyed ? unkeyed_group
                              : static_cast<std::uint16_t>(own_.first + x.next_group));
    if (!unkeyed) {
      dropped_.save(x.since, 2, sink, {}, x.until);
      if (x.since != 0 && searches_saved_at_ >= x.since)
        sink.erase_prefix(search_state, {});
      acted_watermark::save(x.watermark, watermark_state, sink);
    } else if (spread_ >= 0) {
      if (rewrites(x.since))
        erase_writers(sink);
      std::string before;
      put_writer(own_.first, before);
      dropped_.save(x.since, 2, sink, before, x.until);
    }
  }
  if (x.next_group <= own_.count || save_settled(left, sink))
    return true;
  std::vector<std::uint32_t> rows;
  const bool more = x.rows[x.side].take(sides[x.side].rows.rows(), left, rows);
  put_rows(x.side, rows, sink);
  if (!more && ++x.side == 2)
    save_.reset();
  return save_.has_value();
}

// Rows that were settled since, though they came before. True = there are more.
bool interval_state::save_settled(std::uint32_t most, state_sink& sink) {
  auto& x = *save_;
  std::array<std::vector<std::uint32_t>, 2> rows;
  for (std::uint32_t looked = 0; x.next_settled < x.settled_end; ++x.next_settled, ++looked) {
    if (looked == most)
      break;
    const auto& [changed_at, settled] = settled_log_[x.next_settled];
    const auto& store = sides[settled.side].rows.rows();
    if (changed_at > x.since && changed_at <= x.until
        && store.chunk_of(settled.row) < store.chunk_count()
        && store.sequence_of(settled.row) < x.first[settled.side])
      rows[settled.side].push_back(settled.row);
  }
  for (std::uint8_t s = 0; s < 2; ++s)
    put_rows(s, rows[s], sink);
  return x.next_settled < x.settled_end;
}

void interval_state::put_rows(std::uint8_t s, std::span<const std::uint32_t> rows,
                              state_sink& sink) const {
  const auto& side = sides[s];
  const auto& store = side.rows.rows();
  std::vector<std::uint16_t> groups;
  groups_of(s, rows, groups);
  std::string key;
  std::string value;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto row = rows[i];
    const auto pane = bounds.pane_end(s, side.rows.time_of(row));
    if (pane <= save_->released)
      continue;
    key.clear();
    if (is_spread(s))
      put_writer(own_.first, key);
    put_time(pane, key);
    put_row_key(store, side.keys, row, key);
    put_sequence(store.sequence_of(row), key);
    const auto settled = side.keeps_unmatched ? side.settled.at(store, row) : 0;
    value.assign(1, settled != 0 && settled <= save_->until ? '\1' : '\0');
    store.encode(row, value);
    sink.select_group(is_spread(s) ? unkeyed_group : groups[i]);
    sink.put(s, key, value);
  }
}

void interval_state::erase_writers(state_sink& sink) const {
  for (const auto writer : writers_) {
    std::string prefix;
    put_writer(writer, prefix);
    sink.erase_prefix(static_cast<std::uint16_t>(spread_), prefix);
  }
}

} // namespace ebb
