#include "actors/dataflow/operators/running_window.hpp"

#include <algorithm>
#include <numeric>

namespace ebb {

namespace {

// With fewer panes a window, adding them up afresh is as cheap.
constexpr micros panes_min = 4;
// Groups added or taken back at once.
constexpr std::uint32_t chunk_max = 4096;

/// The next slots of a table within the budget.
std::vector<std::uint32_t> take_slots(const aggregate_table& table, std::uint32_t next,
                                      step_budget& budget) {
  const auto count = std::min({table.index().slot_count() - next, chunk_max, budget.rows});
  std::vector<std::uint32_t> slots(count);
  std::iota(slots.begin(), slots.end(), next);
  budget.rows -= count;
  return slots;
}

} // namespace

bool running_window::suits(const window_spec& window, const aggregate_shape& shape) {
  if (window.kind != window_kind::hop && window.kind != window_kind::cumulate)
    return false;
  if (window.size / std::gcd(window.size, window.slide) < panes_min)
    return false;
  // Cumulating windows only grow, and all their panes leave at once.
  return window.kind == window_kind::cumulate || aggregate_table(shape).invertible();
}

void running_window::enter(const pane_id& pane, const aggregate_table& table) {
  if (covered_.empty())
    start_over();
  covered_.insert(pane);
  entering_.push_back(&table);
}

void running_window::start_over() {
  for (auto& table : leaving_)
    spare_.push_back(std::move(table));
  leaving_.clear();
  groups_.clear();
  panes_of_.clear();
  next_slot_ = 0;
}

result<bool> running_window::advance(step_budget& budget) {
  while (budget.rows != 0 && !leaving_.empty()) {
    const auto slots = take_slots(*leaving_.back(), next_slot_, budget);
    take_back(*leaving_.back(), slots);
    next_slot_ += static_cast<std::uint32_t>(slots.size());
    if (next_slot_ == leaving_.back()->index().slot_count()) {
      spare_.push_back(std::move(leaving_.back()));
      leaving_.pop_back();
      next_slot_ = 0;
    }
  }
  while (budget.rows != 0 && !entering_.empty()) {
    const auto& pane = *entering_.front();
    const auto slots = take_slots(pane, next_slot_, budget);
    EBB_TRY(groups_.merge(pane, slots));
    count_panes(groups_.last_slots());
    next_slot_ += static_cast<std::uint32_t>(slots.size());
    if (next_slot_ == pane.index().slot_count()) {
      entering_.erase(entering_.begin());
      next_slot_ = 0;
    }
  }
  return leaving_.empty() && entering_.empty();
}

result<void> running_window::prepare(step_budget& budget) {
  if (covered_.empty())
    start_over();
  EBB_TRY(advance(budget));
  return {};
}

void running_window::count_panes(std::span<const std::uint32_t> slots) {
  panes_of_.resize(groups_.index().slot_count(), 0);
  for (const auto slot : slots)
    ++panes_of_[slot];
}

void running_window::take_back(const aggregate_table& from, std::span<const std::uint32_t> theirs) {
  groups_.subtract(from, theirs);
  for (const auto slot : groups_.last_slots())
    if (--panes_of_[slot] == 0)
      groups_.erase(slot);
}

void running_window::leave(const pane_id& pane, table_ptr table) {
  covered_.erase(pane);
  leaving_.push_back(std::move(table));
}

std::uint32_t running_window::added(const aggregate_table& pane) const {
  const auto at = std::find(entering_.begin(), entering_.end(), &pane);
  if (at == entering_.end())
    return pane.index().slot_count();
  return at == entering_.begin() && leaving_.empty() ? next_slot_ : 0;
}

result<void> running_window::add_late(const aggregate_table& rows, const aggregate_table& pane,
                                      std::uint32_t fresh) {
  // What is not added yet is added with the pane.
  const auto end = added(pane);
  auto picks = rows.slots();
  const auto places = pane.last_slots();
  std::size_t kept = 0;
  for (std::size_t i = 0; i < picks.size(); ++i)
    if (places[i] < end)
      picks[kept++] = picks[i];
  picks.resize(kept);
  EBB_TRY(groups_.merge(rows, picks));
  panes_of_.resize(groups_.index().slot_count(), 0);
  if (fresh >= end)
    return {};
  std::vector<std::uint32_t> theirs(end - fresh);
  std::iota(theirs.begin(), theirs.end(), fresh);
  std::vector<std::uint32_t> ours(theirs.size());
  groups_.index().resolve_from(pane.index(), theirs, ours.data());
  count_panes(ours);
  return {};
}

running_window::table_ptr running_window::take_spare() {
  if (spare_.empty())
    return nullptr;
  auto table = std::move(spare_.back());
  spare_.pop_back();
  return table;
}

std::size_t running_window::byte_size() const noexcept {
  auto bytes = groups_.byte_size() + panes_of_.capacity() * sizeof(std::uint32_t);
  for (const auto& table : leaving_)
    bytes += table->byte_size();
  return bytes;
}

} // namespace ebb
