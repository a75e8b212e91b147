#include "actors/dataflow/operators/aggregate_table.hpp"

#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace ebb {

namespace {

/// Bits of the rows for which a BOOLEAN is true.
buffer_ptr true_rows(const column& x) {
  const std::size_t bytes = (static_cast<std::size_t>(x.rows) + 7) / 8;
  auto bits = buffer_ptr::make(std::max<std::size_t>(1, bytes));
  auto* to = bits.as<std::uint8_t>();
  std::memset(to, 0, bytes);
  const auto* values = x.data<std::uint8_t>();
  std::uint32_t i = 0;
  if (!x.constant)
    for (; i + 8 <= x.rows; i += 8) { // eight bytes of 0 or 1 make a byte of bits
      std::uint64_t eight = 0;
      std::memcpy(&eight, values + i, sizeof eight);
      to[i >> 3] = static_cast<std::uint8_t>(
          ((eight & 0x0101010101010101U) * std::uint64_t{0x0102040810204080}) >> 56);
    }
  for (; i < x.rows; ++i)
    to[i >> 3] =
        static_cast<std::uint8_t>(to[i >> 3] | ((values[x.at(i)] != 0 ? 1 : 0) << (i & 7)));
  if (x.has_nulls())
    for (std::uint32_t k = 0; k < x.rows; ++k)
      if (x.is_null(k))
        clear_bit(to, k);
  return bits;
}

buffer_ptr pick_bits(const buffer_ptr& bits, std::span<const std::uint32_t> picks) {
  const std::size_t bytes = (picks.size() + 7) / 8;
  auto picked = buffer_ptr::make(std::max<std::size_t>(1, bytes));
  auto* to = picked.as<std::uint8_t>();
  std::memset(to, 0, bytes);
  const auto* from = bits.as<const std::uint8_t>();
  for (std::uint32_t i = 0; i < picks.size(); ++i)
    if (get_bit(from, picks[i]))
      set_bit(to, i);
  return picked;
}

} // namespace

column pick_rows(const column& x, std::span<const std::uint32_t> picks) {
  const auto count = static_cast<std::uint32_t>(picks.size());
  const bool neighbours = !picks.empty() && picks.back() - picks.front() + 1 == count
                          && std::is_sorted(picks.begin(), picks.end());
  if (!neighbours || x.constant || x.type.kind == type_kind::array
      || (x.has_nulls() && picks.front() % 8 != 0))
    return gather(x, picks.data(), count);
  const auto part = [&](const buffer_ptr& whole, std::size_t width) {
    return whole ? buffer_ptr::part(whole, picks.front() * width, count * width) : buffer_ptr{};
  };
  column some = x;
  some.rows = count;
  some.values = part(x.values, value_width(x.type.kind));
  some.scales = part(x.scales, sizeof(std::int16_t));
  if (x.validity)
    some.validity = buffer_ptr::part(x.validity, picks.front() / 8, (count + 7) / 8);
  return some;
}

namespace {

/// Adds picked rows to slots of the calls' accumulators.
result<void> update_picked(std::span<const std::unique_ptr<accumulators>> calls,
                           std::span<const std::uint32_t> slots, const call_rows& rows,
                           const std::vector<std::uint32_t>& picks) {
  std::vector<std::int32_t> weights;
  if (rows.weights != nullptr)
    for (const auto i : picks)
      weights.push_back(rows.weights[i]);
  for (std::size_t c = 0; c < calls.size(); ++c) {
    std::vector<column> args;
    args.reserve(rows.args[c].size());
    for (const auto& arg : rows.args[c])
      args.push_back(pick_rows(arg, picks));
    if (rows.states) {
      EBB_TRY(calls[c]->merge_state(slots, args));
      continue;
    }
    const auto included = rows.included[c] ? pick_bits(rows.included[c], picks) : buffer_ptr{};
    auto done =
        calls[c]->update(slots, args, included ? included.as<const std::uint8_t>() : nullptr,
                         weights.empty() ? nullptr : weights.data());
    if (!done) {
      if (done.error().row)
        done.error().row = picks[*done.error().row];
      return done;
    }
  }
  return {};
}

} // namespace

aggregate_shape::aggregate_shape(std::vector<sql_type> keys, std::vector<aggregate_call> all_calls,
                                 std::uint16_t groups)
    : key_types(std::move(keys)), calls(std::move(all_calls)), key_groups(groups) {
  for (const auto& call : calls)
    states.push_back(state_types(call));
}

call_rows arguments_of(const aggregate_shape& shape, const batch& rows) {
  call_rows made;
  made.rows = rows.rows;
  made.weights = rows.weights ? rows.weights.as<const std::int32_t>() : nullptr;
  for (const auto& call : shape.calls) {
    std::vector<column> args;
    args.reserve(call.args.size() + call.order_by.size());
    for (const auto k : call.args)
      args.push_back(rows.columns[k]);
    for (const auto& key : call.order_by)
      args.push_back(rows.columns[key.column]);
    made.args.push_back(std::move(args));
    // Calls often share a FILTER.
    const auto same = std::find_if(shape.calls.begin(), shape.calls.end(),
                                   [&](const auto& x) { return x.filter == call.filter; });
    if (call.filter < 0)
      made.included.emplace_back();
    else if (const auto c = static_cast<std::size_t>(same - shape.calls.begin());
             c < made.included.size())
      made.included.push_back(made.included[c]);
    else
      made.included.push_back(true_rows(rows.columns[static_cast<std::size_t>(call.filter)]));
  }
  return made;
}

call_rows states_of(const aggregate_shape& shape, const batch& rows, std::size_t first) {
  call_rows made;
  made.rows = rows.rows;
  made.states = true;
  for (const auto& state : shape.states) {
    std::vector<column> columns;
    columns.reserve(state.size());
    for (std::size_t k = 0; k < state.size(); ++k)
      columns.push_back(rows.columns[first++]);
    made.args.push_back(std::move(columns));
    made.included.emplace_back();
  }
  return made;
}

result<void> update_calls(std::span<const std::unique_ptr<accumulators>> calls,
                          std::span<const std::uint32_t> slots, const call_rows& rows,
                          const std::vector<std::uint32_t>* picks) {
  if (picks != nullptr)
    return update_picked(calls, slots, rows, *picks);
  for (std::size_t c = 0; c < calls.size(); ++c) {
    if (rows.states)
      EBB_TRY(calls[c]->merge_state(slots, rows.args[c]));
    else
      EBB_TRY(calls[c]->update(
          slots, rows.args[c],
          rows.included[c] ? rows.included[c].as<const std::uint8_t>() : nullptr,
          c < rows.call_weights.size() && rows.call_weights[c] != nullptr ? rows.call_weights[c]
                                                                          : rows.weights));
  }
  return {};
}

result<void> states_of_rows(const aggregate_shape& shape, const call_rows& rows,
                            const std::vector<std::uint32_t>& picks, std::vector<column>& out) {
  std::vector<std::unique_ptr<accumulators>> calls;
  std::vector<std::uint32_t> slots(picks.size());
  std::iota(slots.begin(), slots.end(), 0U);
  for (const auto& call : shape.calls) {
    calls.push_back(make_accumulators(call, {}));
    calls.back()->resize(static_cast<std::uint32_t>(picks.size()));
  }
  EBB_TRY(update_picked(calls, slots, rows, picks));
  for (const auto& call : calls)
    for (auto& x : call->state(slots))
      out.push_back(std::move(x));
  return {};
}

void aggregate_table::make_room() {
  for (auto& call : calls_)
    call->resize(index_.slot_count());
}

result<void> aggregate_table::add(std::span<const column* const> keys, const std::uint64_t* hashes,
                                  const call_rows& rows, const std::vector<std::uint32_t>* picks) {
  resolve(keys, hashes, picks == nullptr ? nullptr : picks->data(),
          picks == nullptr ? rows.rows : static_cast<std::uint32_t>(picks->size()));
  return update_calls(calls_, scratch_, rows, picks);
}

void aggregate_table::resolve(std::span<const column* const> keys, const std::uint64_t* hashes,
                              const std::uint32_t* picks, std::uint32_t count) {
  scratch_.resize(count);
  // Without keys there is one group.
  const auto looked_up = keys.empty() ? std::min(count, 1U) : count;
  index_.resolve(keys, hashes, picks, looked_up, scratch_.data());
  if (looked_up < count)
    std::fill(scratch_.begin() + 1, scratch_.end(), scratch_.front());
  make_room();
  preserve();
}

result<void> aggregate_table::update(const call_rows& rows) {
  return update_calls(calls_, scratch_, rows, nullptr);
}

result<void> aggregate_table::merge(const aggregate_table& from,
                                    std::span<const std::uint32_t> theirs) {
  scratch_.resize(theirs.size());
  index_.resolve_from(from.index_, theirs, scratch_.data());
  make_room();
  preserve();
  for (std::size_t c = 0; c < calls_.size(); ++c)
    EBB_TRY(calls_[c]->merge(scratch_, *from.calls_[c], theirs));
  return {};
}

void aggregate_table::subtract(const aggregate_table& from, std::span<const std::uint32_t> theirs) {
  scratch_.resize(theirs.size());
  index_.resolve_from(from.index_, theirs, scratch_.data());
  for (std::size_t c = 0; c < calls_.size(); ++c)
    calls_[c]->subtract(scratch_, *from.calls_[c], theirs);
}

void aggregate_table::erase(std::uint32_t slot) {
  index_.erase(slot);
  for (auto& call : calls_)
    call->clear(slot);
}

bool aggregate_table::invertible() const noexcept {
  return std::all_of(calls_.begin(), calls_.end(), [](const auto& x) { return x->invertible(); });
}

result<void> aggregate_table::results(std::span<const std::uint32_t> slots,
                                      std::vector<column>& out) const {
  for (const auto& call : calls_) {
    EBB_ASSIGN(auto x, call->finish(slots));
    out.push_back(std::move(x));
  }
  return {};
}

void aggregate_table::states(std::span<const std::uint32_t> slots, std::vector<column>& out) const {
  for (const auto& call : calls_)
    for (auto& x : call->state(slots))
      out.push_back(std::move(x));
}

void aggregate_table::keys(std::span<const std::uint32_t> slots, std::vector<column>& out) const {
  for (std::size_t k = 0; k < shape_.key_types.size(); ++k)
    out.push_back(index_.key_column(k, slots));
}

void aggregate_table::put(std::span<const std::uint32_t> slots, const entry_place& place,
                          state_sink& sink) const {
  if (slots.empty())
    return;
  std::vector<column> key_values;
  std::vector<column> values;
  keys(slots, key_values);
  if (!index_.exact())
    values = key_values;
  states(slots, values);
  std::string key = place.prefix;
  std::string value(1, saved_version);
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    key.resize(place.prefix.size());
    for (const auto& x : key_values)
      encode_key_value(x, i, key);
    value.resize(1);
    for (const auto& x : values)
      append_value(x, i, value);
    sink.select_group(place.key_group >= 0
                          ? static_cast<std::uint16_t>(place.key_group)
                          : key_group_of(index_.hash_of(slots[i]), shape_.key_groups));
    sink.put(place.state, key, value);
  }
}

void aggregate_table::freeze(change_mark since, entry_place place, state_sink& early) {
  place_ = std::move(place);
  early_ = &early;
  index_.freeze(since);
}

void aggregate_table::unfreeze() {
  early_ = nullptr;
  index_.unfreeze();
}

std::uint32_t aggregate_table::save_frozen(std::uint32_t most, state_sink& sink, bool& all) {
  std::vector<std::uint32_t> slots;
  all = !index_.take_frozen(most, slots);
  put(slots, place_, sink);
  if (all)
    unfreeze();
  return static_cast<std::uint32_t>(slots.size());
}

void aggregate_table::put_preserved() {
  auto& slots = index_.preserved();
  put(slots, place_, *early_);
  slots.clear();
}

std::vector<std::uint32_t> aggregate_table::slots() const {
  // Nothing is ever erased from a table: its slots are dense.
  EBB_ASSERT(index_.live() == index_.slot_count());
  std::vector<std::uint32_t> all(index_.slot_count());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

void aggregate_table::clear() {
  unfreeze();
  for (auto& call : calls_)
    call->clear_all(index_.slot_count());
  index_.clear();
}

std::size_t aggregate_table::byte_size() const noexcept {
  std::size_t bytes = sizeof(*this) + index_.byte_size();
  for (const auto& call : calls_)
    bytes += call->byte_size();
  return bytes;
}

} // namespace ebb
