#include "actors/dataflow/operators/top_n_state.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/window_rows.hpp"

#include <algorithm>

namespace ebb {

top_n_state::top_n_state(const window_top_n_spec& spec, operator_context context)
    : spec_(spec), context_(std::move(context)), by_{row_order(spec.order_by, context_.inputs[0]),
                                                     spec.rank, spec.limit},
      key_types_(types_of(context_.inputs[0], spec_.partition)), acted_(context_.key_groups) {}

std::string top_n_state::prefix_of(const window_name& name) {
  std::string prefix;
  put_time(name.end, prefix);
  put_time(name.start, prefix);
  return prefix;
}

ranked_window& top_n_state::window_at(const window_name& name) {
  return windows_.try_emplace(name, context_, key_types_, current_ - 1).first->second;
}

rank_cursor& top_n_state::first_cursor() {
  if (!cursor_)
    cursor_.emplace(windows_.begin()->second, by_);
  return *cursor_;
}

void top_n_state::drop_first() {
  cursor_.reset();
  const auto first = windows_.begin();
  // Windows that no save has seen need no erasing.
  if (first->second.base + 1 < current_)
    dropped_.add(current_, prefix_of(first->first));
  if (save_)
    save_->windows.drop_first(windows_);
  else
    windows_.erase(first);
}

std::size_t top_n_state::byte_size() const {
  std::size_t bytes = 0;
  for (const auto& [name, window] : windows_)
    bytes += window.rows.byte_size() + window.index.byte_size()
             + window.partitions.size() * sizeof(ranked_partition)
             + window.candidates * sizeof(ranked_row);
  return bytes;
}

void top_n_state::forget(const window_name& name, ranked_window& window,
                         std::vector<std::uint32_t>& pruned) {
  window.candidates -= pruned.size();
  for (const auto row : pruned)
    window.outranked.set(window.rows, row, current_);
  const auto unsaved_from = window.first_after(current_ - 1);
  if (window.base + 1 < current_) {
    std::erase_if(pruned,
                  [&](std::uint32_t row) { return window.rows.sequence_of(row) >= unsaved_from; });
    const auto groups = groups_of(window.rows, pruned);
    for (std::size_t i = 0; i < pruned.size(); ++i)
      erased_.add(current_, groups[i], key_of(name, window.rows, pruned[i]));
  }
  // A save goes by the rows' numbers.
  if (!save_ && window.rows.rows() > window.candidates * 4 + row_store::chunk_rows)
    compact(window);
}

void top_n_state::compact(ranked_window& window) {
  std::vector<ranked_row*> places;
  for (auto& x : window.partitions)
    for (auto& row : x.rows.rows())
      places.push_back(&row);
  std::sort(places.begin(), places.end(),
            [](const ranked_row* a, const ranked_row* b) { return a->row < b->row; });
  std::vector<std::uint32_t> numbers;
  numbers.reserve(places.size());
  for (const auto* place : places)
    numbers.push_back(place->row);
  window.rows.keep_only(numbers);
  window.outranked.clear();
  for (std::size_t i = 0; i < places.size(); ++i)
    places[i]->row = numbers[i];
  for (auto& x : window.partitions)
    x.rows.renumbered();
}

change_mark top_n_state::mark() {
  save_.reset(); // given up
  dropped_.forget();
  erased_.forget(dropped_.asked());
  for (auto& [name, window] : windows_)
    window.marks.mark(window.rows.next_sequence());
  return current_++;
}

std::string top_n_state::key_of(const window_name& name, const row_store& rows,
                                std::uint32_t row) const {
  auto key = prefix_of(name);
  put_row_key(rows, spec_.partition, row, key);
  put_sequence(rows.sequence_of(row), key);
  return key;
}

// As rows are sent to instances: by partition, or else by the end of the window.
std::vector<std::uint16_t> top_n_state::groups_of(const row_store& rows,
                                                  std::span<const std::uint32_t> numbers) const {
  std::vector<std::uint64_t> hashes(numbers.size());
  if (spec_.partition.empty())
    hash_stored(rows, {&spec_.window_end, 1}, numbers, hashes.data());
  else
    hash_stored(rows, spec_.partition, numbers, hashes.data());
  std::vector<std::uint16_t> groups;
  groups.reserve(hashes.size());
  for (const auto hash : hashes)
    groups.push_back(key_group_of(hash, context_.key_groups));
  return groups;
}

result<void> top_n_state::load(std::uint16_t key_group, std::uint16_t state, std::string_view key,
                               std::string_view value) {
  if (state == watermark_state)
    return acted_.load(key_group, value);
  if (state > 1)
    return make_error(ec::corrupt, "a windowed top-N's state entry has an unknown kind");
  window_name name;
  EBB_ASSIGN(name.end, take_time(key));
  EBB_ASSIGN(name.start, take_time(key));
  std::uint64_t number = 0;
  if (state == 0) {
    EBB_ASSIGN(number, take_last_sequence(key));
  } else {
    EBB_ASSIGN(number, take_last_sequence(value));
  }
  // All that is loaded is older than the first mark.
  auto& window = windows_.try_emplace(name, context_, key_types_, 0).first->second;
  std::uint32_t slot = 0;
  if (!spec_.partition.empty()) {
    EBB_ASSIGN(slot, window.index.resolve_encoded(key));
  }
  window.partitions.resize(std::max<std::size_t>(window.partitions.size(), slot + std::size_t{1}));
  auto& x = window.partitions[slot];
  if (state == 1) {
    x.emitted = number;
    window.marks.loaded(current_ - 1, window.rows.next_sequence());
    window.resumed = true;
    return {};
  }
  EBB_ASSIGN(const auto row, window.rows.append_encoded(value, number));
  window.marks.loaded(current_ - 1, window.rows.next_sequence());
  x.rows.add({by_.order.prefix(window.rows, row), row});
  ++window.candidates;
  return {};
}

} // namespace ebb
