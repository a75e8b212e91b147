#include "actors/dataflow/operators/group_calls.hpp"

#include "actors/dataflow/aggregates/retractable.hpp"
#include "actors/dataflow/operators/chosen_columns.hpp"
#include "actors/dataflow/ordered_set.hpp"
#include "schemas/assert.hpp"

#include <algorithm>

namespace ebb {

namespace {

/// A call whose rows may be added in any order, and all of whose overloads take +1.
bool adds_up(const aggregate_call& call) {
  return call.function->order_free;
}

bool is_distinct(const aggregate_call& call) {
  return call.distinct && !call.args.empty() && !ignores_repeats(call.function->name);
}

aggregate_call row_count() {
  aggregate_call call;
  for (const auto& x : find_aggregates("count"))
    if (x.params.empty())
      call.function = &x;
  EBB_ASSERT(call.function != nullptr);
  call.type = sql_type{type_kind::bigint};
  return call;
}

const std::uint8_t* bits_of(const buffer_ptr& bits) {
  return bits ? bits.as<const std::uint8_t>() : nullptr;
}

} // namespace

group_calls::group_calls(const group_aggregate_spec& spec, const operator_context& context)
    : updating_(spec.updating), merges_(spec.phase == group_phase::final),
      drops_(spec.retention.span > 0), goes_(spec.updating || drops_),
      key_groups_(context.key_groups), shape_(shape_of(spec, context, *this)), table_(shape_) {
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    auto types = types_of(context.inputs[0], sets_[i].args);
    sets_[i].values =
        std::make_unique<value_set>(table_.index(), std::move(types), sets_[i].filters.size(),
                                    goes_, set_entries, static_cast<std::uint8_t>(i), key_groups_);
  }
  for (std::size_t i = 0; i < ordered_calls_.size(); ++i)
    ordered_.push_back(std::make_unique<ordered_values>(table_.index(), ordered_calls_[i],
                                                        ordered_entries,
                                                        static_cast<std::uint8_t>(i), key_groups_));
  changes_.resize(sets_.size());
  if (spec.retention.span > 0)
    each_set([](value_set& x) { x.forgive(); });
}

void group_calls::drop_values(std::span<const std::uint32_t> slots) {
  table_.touch(slots);
  if (sets_.empty() && ordered_.empty())
    return;
  std::vector<std::uint8_t> marked(table_.index().slot_count(), 0);
  for (const auto slot : slots)
    marked[slot] = 1;
  for (auto& set : sets_) {
    set.values->drop_owners(marked);
    set.values->forget();
  }
  for (auto& x : ordered_)
    x->drop_owners(marked);
}

aggregate_shape group_calls::shape_of(const group_aggregate_spec& spec,
                                      const operator_context& context, group_calls& calls) {
  for (const auto& call : spec.calls)
    calls.add_call(call);
  if (calls.updating_)
    calls.calls_.push_back(row_count());
  return {types_of(context.inputs[0], spec.keys), calls.calls_, context.key_groups};
}

void group_calls::add_call(aggregate_call call) {
  if (!updating_) {
    if (is_distinct(call) && adds_up(call)) {
      add_distinct(std::move(call));
      return;
    }
    places_.push_back({false, calls_.size()});
    calls_.push_back(std::move(call));
    return;
  }
  const auto* function = find_retractable(*call.function);
  if (function == nullptr) {
    places_.push_back({true, ordered_calls_.size()});
    ordered_calls_.push_back(std::move(call));
    return;
  }
  call.function = function;
  if (is_distinct(call)) {
    add_distinct(std::move(call));
    return;
  }
  if (!is_ordered_set(*function)) // there it tells the direction
    call.order_by.clear();
  places_.push_back({false, calls_.size()});
  calls_.push_back(std::move(call));
}

void group_calls::add_distinct(aggregate_call call) {
  auto set = std::find_if(sets_.begin(), sets_.end(), [&](const shared_set& x) {
    return x.args == call.args
           && (x.filters.size() < value_set::variants_max
               || std::find(x.filters.begin(), x.filters.end(), call.filter) != x.filters.end());
  });
  if (set == sets_.end()) {
    sets_.push_back({call.args, {}, nullptr});
    set = std::prev(sets_.end());
  }
  auto variant = std::find(set->filters.begin(), set->filters.end(), call.filter);
  if (variant == set->filters.end()) {
    set->filters.push_back(call.filter);
    variant = std::prev(set->filters.end());
  }
  distinct_.push_back({calls_.size(), static_cast<std::size_t>(set - sets_.begin()),
                       static_cast<std::size_t>(variant - set->filters.begin())});
  call.distinct = false;
  call.order_by.clear();
  places_.push_back({false, calls_.size()});
  calls_.push_back(std::move(call));
}

result<void> group_calls::update(const batch& rows) {
  auto given =
      merges_ ? states_of(shape_, rows, shape_.key_types.size()) : arguments_of(shape_, rows);
  const auto slots = table_.last_slots();
  given.call_weights.resize(calls_.size(), nullptr);
  std::vector<const std::uint8_t*> included;
  for (std::size_t s = 0; s < sets_.size(); ++s) {
    included.assign(sets_[s].filters.size(), nullptr);
    std::size_t first = 0;
    for (const auto& x : distinct_)
      if (x.set == s) {
        included[x.variant] = bits_of(given.included[x.call]);
        first = x.call;
      }
    EBB_TRY(sets_[s].values->add(slots, given.args[first], included, given.weights, changes_[s]));
  }
  for (const auto& x : distinct_) {
    given.included[x.call] = changes_[x.set].included[x.variant];
    if (updating_)
      given.call_weights[x.call] = changes_[x.set].weights[x.variant].data();
  }
  for (auto& set : sets_)
    set.values->forget();
  for (std::size_t i = 0; i < ordered_.size(); ++i) {
    const auto& call = ordered_calls_[i];
    const aggregate_shape one({}, {call}, 1);
    const auto seen = arguments_of(one, rows);
    EBB_TRY(ordered_[i]->add(slots, seen.args[0], bits_of(seen.included[0]), given.weights));
  }
  EBB_TRY(table_.update(given));
  if (goes_)
    born_.resize(table_.index().slot_count(), 0);
  for (std::size_t i = 0; goes_ && i < slots.size(); ++i)
    if (born_[slots[i]] == 0)
      born_[slots[i]] = now_;
  return {};
}

result<void> group_calls::results(std::span<const std::uint32_t> slots, std::vector<column>& out,
                                  column* counts) const {
  std::vector<column> of_table;
  EBB_TRY(table_.results(slots, of_table));
  for (const auto& x : places_) {
    if (!x.ordered) {
      out.push_back(of_table[x.at]);
      continue;
    }
    EBB_ASSIGN(auto values, ordered_[x.at]->finish(slots));
    out.push_back(std::move(values));
  }
  if (counts != nullptr && updating_)
    *counts = std::move(of_table.back());
  return {};
}

void group_calls::erase(std::uint32_t slot) {
  // What no save has seen need not be erased.
  if (born_[slot] < now_) {
    std::string key;
    table_.index().encode(slot, key);
    erased_.add(now_, key_group_of(table_.index().hash_of(slot), key_groups_), key);
  }
  born_[slot] = 0;
  table_.erase(slot);
}

std::size_t group_calls::byte_size() const noexcept {
  auto bytes = table_.byte_size() + born_.capacity() * sizeof(change_mark);
  for (const auto& set : sets_)
    bytes += set.values->byte_size();
  for (const auto& x : ordered_)
    bytes += x->byte_size();
  return bytes;
}

} // namespace ebb
