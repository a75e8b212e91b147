#include "actors/dataflow/operators/changelog_partitions.hpp"

#include "actors/dataflow/key_encoding.hpp"

#include <algorithm>

namespace ebb {

namespace {

std::vector<sort_key> with_all_columns(std::vector<sort_key> keys, std::size_t columns) {
  for (std::uint32_t k = 0; k < columns; ++k)
    if (std::none_of(keys.begin(), keys.end(), [&](const auto& x) { return x.column == k; }))
      keys.push_back({k, false, false});
  return keys;
}

std::vector<sql_type> partition_types(const changelog_top_n_spec& spec,
                                      const operator_context& context) {
  std::vector<sql_type> types;
  for (const auto k : spec.partition)
    types.push_back(context.inputs[0][k]);
  return types;
}

} // namespace

changelog_partitions::changelog_partitions(const changelog_top_n_spec& spec,
                                           operator_context context)
    : spec_(spec), context_(std::move(context)),
      order_(with_all_columns(spec_.order_by, context_.inputs[0].size()), context_.inputs[0]),
      peers_(spec_.order_by, context_.inputs[0]),
      kept_(context_.inputs[0], spec_.partition, true, 0, context_.key_groups),
      index_(partition_types(spec_, context_), context_.key_groups) {}

operator_counters changelog_partitions::counters() const {
  auto result = counters_;
  result.state_bytes = kept_.byte_size() + index_.byte_size() + list_bytes();
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
  if (looked_up < count)
    std::fill(slots.begin() + 1, slots.end(), slots.front());
}

// Gives back memory of rows that went: the living ones of the oldest chunk move to the end.
result<void> changelog_partitions::move_rows() {
  if (!kept_.wants_move())
    return {};
  EBB_TRY(kept_.move_oldest(from_, to_));
  const auto count = static_cast<std::uint32_t>(from_.size());
  std::vector<std::uint32_t> slots(count);
  std::vector<std::uint64_t> hashes(count);
  hash_stored(rows(), spec_.partition, from_, hashes.data());
  std::vector<column> values;
  std::vector<const column*> keys;
  for (const auto k : spec_.partition)
    values.push_back(rows().gather(k, from_.data(), count));
  for (const auto& x : values)
    keys.push_back(&x);
  index_.find(keys, hashes.data(), nullptr, count, slots.data());
  for (std::uint32_t i = 0; i < count; ++i) {
    EBB_ASSERT(slots[i] != key_index::no_slot);
    renumber(slots[i], from_[i], to_[i]);
  }
  kept_.drop_moved();
  return {};
}

change_mark changelog_partitions::mark() {
  last_slot_ = key_index::no_slot;
  kept_.mark();
  return mark_++;
}

void changelog_partitions::begin_save(change_mark since) {
  EBB_ASSERT(idle()); // a barrier comes after whole batches
  EBB_ASSERT(since == 0 || since + marks_kept >= mark_);
  kept_.begin_save(since);
}

bool changelog_partitions::save_slice(std::uint32_t entries, state_sink& sink) {
  auto left = std::max(1U, entries);
  return !kept_.erase_slice(left, sink) || !kept_.save_slice(left, sink);
}

void changelog_partitions::save(std::uint16_t key_group, change_mark since,
                                state_sink& sink) const {
  kept_.save(key_group, since, sink);
}

result<void> changelog_partitions::load(std::uint16_t, std::uint16_t state, std::string_view key,
                                        std::string_view value) {
  if (state != 0)
    return make_error(ec::corrupt, "a top-N's state entry has an unknown kind");
  EBB_ASSIGN(const auto row, kept_.load(key, value));
  if (last_slot_ == key_index::no_slot || key != last_key_) {
    EBB_ASSIGN(last_slot_, index_.resolve_encoded(key));
    last_key_ = key;
  }
  add_loaded(last_slot_, row);
  return {};
}

} // namespace ebb
