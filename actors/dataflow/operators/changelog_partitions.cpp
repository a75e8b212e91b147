#include "actors/dataflow/operators/changelog_partitions.hpp"

#include "actors/dataflow/key_encoding.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/operators/missing_row.hpp"
#include "actors/dataflow/operators/pass_time.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::vector<sort_key> with_all_columns(std::vector<sort_key> keys, std::size_t columns) {
  for (std::uint32_t k = 0; k < columns; ++k)
    if (std::none_of(keys.begin(), keys.end(), [&](const auto& x) { return x.column == k; }))
      keys.push_back({k, false, false});
  return keys;
}

} // namespace

changelog_partitions::changelog_partitions(const changelog_top_n_spec& spec,
                                           operator_context context)
    : spec_(spec), context_(std::move(context)),
      order_(with_all_columns(spec_.order_by, context_.inputs[0].size()), context_.inputs[0]),
      peers_(spec_.order_by, context_.inputs[0]),
      kept_(context_.inputs[0], spec_.partition, true, 0, context_.key_groups),
      index_(types_of(context_.inputs[0], spec_.partition), context_.key_groups),
      retention_(spec_.retention, index_, context_), sequences_(context_, 1),
      cold_({gone_states, row_states}, context_.key_groups) {}

operator_counters changelog_partitions::counters() const {
  auto result = counters_;
  result.state_bytes =
      kept_.byte_size() + index_.byte_size() + list_bytes() + retention_.byte_size();
  return result;
}

void changelog_partitions::find_partitions(const batch& rows, const std::uint32_t* picks,
                                           std::uint32_t count, std::vector<std::uint32_t>& slots) {
  hashes_.resize(rows.rows);
  slots.resize(count);
  const auto keys = key_columns(rows, spec_.partition);
  hash_keys(keys, rows.rows, hashes_.data());
  const auto looked_up = keys.empty() ? std::min(count, 1U) : count; // one partition of all
  index_.resolve(keys, hashes_.data(), picks, looked_up, slots.data());
  retention_.touch({slots.data(), looked_up});
  if (looked_up < count)
    std::fill(slots.begin() + 1, slots.end(), slots.front());
}

void changelog_partitions::find_partitions(std::span<const std::uint32_t> numbers,
                                           std::vector<std::uint32_t>& slots) {
  resolve_stored(index_, rows(), spec_.partition, numbers, slots);
}

// Gives back memory of rows that went: the living ones of the oldest chunk move to the end.
result<void> changelog_partitions::move_rows() {
  if (!kept_.wants_move() || !cold_.whole_groups())
    return {};
  EBB_TRY(kept_.move_oldest(from_, to_));
  std::vector<std::uint32_t> slots;
  find_partitions(from_, slots);
  for (std::size_t i = 0; i < from_.size(); ++i)
    renumber(slots[i], from_[i], to_[i]);
  kept_.drop_moved();
  return {};
}

bool changelog_partitions::finish_item(const stream_item* item, step_budget& budget, output& out) {
  if (item != nullptr) {
    pass_time(*item, out);
    retention_.take(*item);
  }
  if (!retention_.active())
    return false;
  expired_.clear();
  const bool more = retention_.sweep(budget, expired_);
  std::vector<std::uint32_t> numbers;
  for (const auto slot : expired_)
    drop_rows(slot, numbers);
  if (!numbers.empty())
    kept_.remove(numbers);
  for (const auto slot : expired_)
    erase_partition(slot);
  return more;
}

void changelog_partitions::erase_partition(std::uint32_t slot) {
  retention_.forget(slot);
  index_.erase(slot);
}

error changelog_partitions::not_there(const batch& rows, std::uint32_t i) const {
  return missing_row("its partition is ", key_columns(rows, spec_.partition), i);
}

change_mark changelog_partitions::mark() {
  finish_load();
  kept_.mark();
  retention_.mark();
  cold_.begin();
  return mark_++;
}

void changelog_partitions::begin_save(change_mark since) {
  EBB_ASSERT(idle()); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  kept_.begin_save(since);
  sequences_.begin_save({rows().next_sequence()});
  retention_.begin_save(since);
}

bool changelog_partitions::save_slice(std::uint32_t entries, state_sink& sink) {
  auto left = std::max(1U, entries);
  if (!kept_.erase_slice(left, sink) || !retention_.erase_slice(left, sink))
    return true;
  sequences_.save_slice(left, sink);
  return !kept_.save_slice(left, sink) || !retention_.save_slice(left, sink);
}

void changelog_partitions::save(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  if (key_group == unkeyed_group) {
    sequences_.put({rows().next_sequence()}, sink);
    return;
  }
  kept_.save(key_group, since, sink);
  retention_.save(key_group, since, sink);
}

result<void> changelog_partitions::load(std::uint16_t key_group, std::uint16_t state,
                                        std::string_view key, std::string_view value) {
  loading_ = retention_.active();
  if (state == key_retention::state)
    return retention_.load(key, value);
  if (state == saved_sequences::state) {
    EBB_TRY(sequences_.load(key, value));
    kept_.skip_sequences(sequences_.restored(0));
    return {};
  }
  if (!kept_.owns(state))
    return make_error(ec::corrupt, "a top-N's state entry has an unknown kind");
  cold_.loads(key_group);
  std::vector<std::uint32_t> numbers;
  EBB_TRY(kept_.load(key_group, state, key, value, numbers));
  std::vector<std::uint32_t> slots;
  find_partitions(numbers, slots);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    add_loaded(slots[i], numbers[i]);
  return {};
}

void changelog_partitions::wish(const stream_item& item, state_wishes& wishes) {
  if (!sequences_.known())
    cold_.wish_all(wishes); // before anything is saved
  else if (item.kind == item_kind::batch)
    cold_.wish(*item.rows, spec_.partition, nullptr, wishes);
}

void changelog_partitions::all_loaded() {
  if (!sequences_.known())
    kept_.all_were_saved();
  cold_.all_loaded();
}

} // namespace ebb
