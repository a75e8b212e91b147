#include "storage/merged_state.hpp"

#include "storage/key_filter.hpp"

#include <algorithm>

namespace ebb {

merged_state::merged_state(std::vector<std::shared_ptr<segment_reader>> oldest_first)
    : segments_(std::move(oldest_first)) {}

result<std::optional<segment_entry>> merged_state::get(std::uint16_t key_group, std::uint16_t state,
                                                       std::string_view key) const {
  const stored_key stored{segment_area::entries, key_group, state, key};
  const auto hash = filter_hash(stored.view());
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    auto& reader = **segment;
    if (key_group < reader.info().first_key_group || key_group > reader.info().last_key_group)
      continue;
    EBB_ASSIGN(auto found, reader.get(stored, hash, key));
    if (found)
      return found->kind == entry_kind::put ? std::move(found) : std::nullopt;
    if (reader.hidden().covers(key_group, state, key))
      break;
  }
  return std::optional<segment_entry>{};
}

result<merged_cursor> merged_state::scan(std::uint16_t first_key_group,
                                         std::uint16_t last_key_group, bool keep_erases) const {
  EBB_ASSIGN(auto scan, unstarted_scan(first_key_group, last_key_group, keep_erases));
  EBB_TRY(scan.start());
  return scan;
}

result<merged_cursor> merged_state::unstarted_scan(std::uint16_t first_key_group,
                                                   std::uint16_t last_key_group,
                                                   bool keep_erases) const {
  merged_cursor scan;
  scan.keep_erases_ = keep_erases;
  for (std::size_t age = 0; age < segments_.size(); ++age) {
    auto& reader = *segments_[age];
    if (last_key_group < reader.info().first_key_group
        || first_key_group > reader.info().last_key_group)
      continue;
    EBB_ASSIGN(auto cursor, reader.scan(first_key_group, last_key_group));
    scan.inputs_.push_back({std::move(cursor), age});
    if (!reader.hidden().empty())
      scan.hiders_.push_back({&reader.hidden(), age});
  }
  return scan;
}

// Smaller keys leave the heap first; of equal keys the newest.
bool merged_cursor::before(std::size_t a, std::size_t b) const noexcept {
  const auto order = inputs_[a].cursor.stored().compare(inputs_[b].cursor.stored());
  return order != 0 ? order < 0 : inputs_[a].age > inputs_[b].age;
}

void merged_cursor::sink(std::size_t at) noexcept {
  for (;;) {
    auto child = 2 * at + 1;
    if (child >= heap_.size())
      return;
    if (child + 1 < heap_.size() && before(heap_[child + 1], heap_[child]))
      ++child;
    if (before(heap_[at], heap_[child]))
      return;
    std::swap(heap_[at], heap_[child]);
    at = child;
  }
}

result<void> merged_cursor::start() {
  heap_.clear();
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    EBB_ASSIGN(const bool found, inputs_[i].cursor.next());
    if (found)
      heap_.push_back(i);
  }
  for (auto at = heap_.size() / 2; at-- > 0;)
    sink(at);
  return {};
}

// Most entries come from the largest segment: the next one of the same input is mostly the first
// again, which costs two comparisons.
result<void> merged_cursor::advance_first() {
  EBB_ASSIGN(const bool found, inputs_[heap_.front()].cursor.next());
  if (!found) {
    heap_.front() = heap_.back();
    heap_.pop_back();
  }
  sink(0);
  return {};
}

bool merged_cursor::is_hidden(const segment_entry& entry, std::size_t age) const noexcept {
  return std::any_of(hiders_.begin(), hiders_.end(), [&](const hider& x) {
    return x.age > age && x.prefixes->covers(entry.key_group, entry.state, entry.key);
  });
}

result<bool> merged_cursor::next() {
  while (!heap_.empty()) {
    const auto newest = heap_.front();
    // The map keeps the bytes when the cursor goes on.
    const auto stored = inputs_[newest].cursor.stored();
    const auto age = inputs_[newest].age;
    entry_ = inputs_[newest].cursor.entry();
    do
      EBB_TRY(advance_first());
    while (!heap_.empty() && inputs_[heap_.front()].cursor.stored() == stored);
    if ((entry_.kind == entry_kind::put || keep_erases_) && !is_hidden(entry_, age))
      return true;
  }
  return false;
}

result<void> merged_cursor::seek(std::uint16_t key_group, std::uint16_t state,
                                 std::string_view key) {
  for (auto& x : inputs_)
    x.cursor.seek(key_group, state, key);
  return start();
}

} // namespace ebb
