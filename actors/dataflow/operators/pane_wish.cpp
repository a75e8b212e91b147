/// Which restored panes pane_aggregate needs, and when: those of the rows that come, and all that a
/// watermark passes.
#include "actors/dataflow/operators/pane_aggregate.hpp"
#include "actors/dataflow/operators/time_keys.hpp"

#include <algorithm>
#include <string>

namespace ebb {

void pane_aggregate::wish(const stream_item& item, state_wishes& wishes) {
  // Without keys there is a group a pane. By processing time it is the panes that say when a tick
  // is needed.
  if (keys_.empty() || window_.processing_time) {
    wishes.wish_all();
    return;
  }
  auto until = target_;
  switch (item.kind) {
  case item_kind::batch:
    wish_rows(*item.rows, wishes);
    // Windows fire before a row that lies behind enters a pane.
    if (item.rows->watermarks && item.rows->rows != 0) {
      const auto* watermarks = item.rows->watermarks.as<const micros>();
      until =
          std::max(until, std::min(item.other_channels,
                                   *std::max_element(watermarks, watermarks + item.rows->rows)));
    }
    break;
  case item_kind::watermark:
    until = std::max(until, item.time);
    break;
  case item_kind::tick:
  case item_kind::idle:
    break;
  case item_kind::end:
    until = max_time;
    break;
  }
  if (cold_.window) {
    const owned_groups own(context_);
    for (std::uint16_t i = 0; i < own.count; ++i)
      wishes.wish_below(static_cast<std::uint16_t>(own.first + i), window_entries, {});
    cold_.window = false;
  }
  wish_panes(until, wishes);
}

void pane_aggregate::wish_rows(const batch& rows, state_wishes& wishes) {
  if (rows.rows == 0 || !finder_.start(rows, now_ == min_time ? 0 : now_))
    return; // `step` tells the error
  take_keys(rows);
  std::string key;
  for (std::uint32_t i = 0; i < rows.rows; ++i) {
    const auto group = key_group_of(row_hashes_[i], shape_.key_groups);
    if (wishes.loaded(group))
      continue;
    const auto at = finder_.find(i);
    if (at == pane_finder::no_pane || !finder_.panes()[at].covered
        || finder_.panes()[at].last_end <= fired_)
      continue;
    const auto& pane = finder_.panes()[at].pane;
    key.clear();
    append_time_key(pane.end, key);
    append_time_key(pane.start, key);
    for (const auto* x : key_columns_)
      encode_key_value(*x, i, key);
    wishes.wish(group, pane_entries, key);
  }
}

void pane_aggregate::wish_panes(micros until, state_wishes& wishes) {
  if (cold_.ends.empty() ? !cold_.more : *cold_.ends.begin() > until)
    return;
  cold_.ends.erase(cold_.ends.begin(), cold_.ends.upper_bound(until));
  std::string to;
  if (cold_.ends.empty() && cold_.more)
    cold_.more = false; // where the next pane ends is not known: all of them
  else if (until != max_time)
    append_time_key(until + 1, to);
  const owned_groups own(context_);
  for (std::uint16_t i = 0; i < own.count; ++i) {
    const auto group = static_cast<std::uint16_t>(own.first + i);
    if (!wishes.loaded(group))
      wishes.wish_below(group, pane_entries, to);
  }
}

void pane_aggregate::all_loaded() {
  cold_ = {};
}

} // namespace ebb
