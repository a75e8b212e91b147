#include "actors/dataflow/operators/ordered_values.hpp"

#include "actors/dataflow/aggregates/retractable.hpp"
#include "actors/dataflow/aggregates/sort_bytes.hpp"
#include "actors/dataflow/value_builder.hpp"
#include "schemas/assert.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace ebb {

namespace {

// An encoded value begins with its owner (an INTEGER) and the tag of a BYTEA, which ends with two
// zero bytes and has 0xff behind each other zero.
constexpr std::size_t before_bytes = 6;
constexpr std::size_t behind_bytes = 2;

void unescape(std::string_view bytes, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out.push_back(bytes[i]);
    i += bytes[i] == '\0' ? 1U : 0U;
  }
}

} // namespace

ordered_values::ordered_values(const key_index& groups, aggregate_call call, std::uint16_t state,
                               std::uint8_t number, std::uint16_t key_groups)
    : call_(std::move(call)), needs_(call_.function->name == "min"   ? needs::first
                                     : call_.function->name == "max" ? needs::last
                                                                     : needs::all),
      once_(call_.distinct || ignores_repeats(call_.function->name)),
      values_(groups, {sql_type{type_kind::bytea}}, 1, true, state, number, key_groups) {}

// Sort keys, arguments in their order, arguments as they are, length of all before these.
void ordered_values::append_bytes(std::span<const column> args, std::uint32_t i,
                                  std::string& out) const {
  const auto own = call_.args.size();
  for (std::size_t k = 0; k < call_.order_by.size(); ++k)
    append_sort_bytes(args[own + k], i, call_.order_by[k], out);
  for (std::size_t k = 0; k < own; ++k)
    append_sort_bytes(args[k], i, sort_key{}, out);
  const auto size = static_cast<std::uint32_t>(out.size());
  for (std::size_t k = 0; k < own; ++k)
    append_value(args[k], i, out);
  out.append(reinterpret_cast<const char*>(&size), sizeof size);
}

bool ordered_values::before(std::uint32_t a, std::uint32_t b) const noexcept {
  return values_.index().encoded(a) < values_.index().encoded(b);
}

result<void> ordered_values::add(std::span<const std::uint32_t> slots, std::span<const column> args,
                                 const std::uint8_t* included, const std::int32_t* weights) {
  const auto rows = static_cast<std::uint32_t>(slots.size());
  text_builder bytes(sql_type{type_kind::bytea}, rows);
  const bool skips_nulls = needs_ != needs::all;
  buffer_ptr wanted;
  if (skips_nulls && args[0].has_nulls()) {
    wanted = buffer_ptr::make(std::max<std::size_t>(1, (std::size_t{rows} + 7) / 8));
    auto* to = wanted.as<std::uint8_t>();
    for (std::size_t b = 0; b < (std::size_t{rows} + 7) / 8; ++b)
      to[b] = static_cast<std::uint8_t>(args[0].validity.as<const std::uint8_t>()[b]
                                        & (included == nullptr ? 0xff : included[b]));
    included = to;
  }
  std::string one;
  for (std::uint32_t i = 0; i < rows; ++i) {
    one.clear();
    if (included == nullptr || get_bit(included, i))
      append_bytes(args, i, one);
    bytes.append(one);
  }
  const column values[] = {bytes.take()};
  const std::uint8_t* const filters[] = {included};
  EBB_TRY(values_.add(slots, values, filters, weights, changes_));
  insert_appeared();
  for (const auto e : values_.vanished())
    order_[values_.owner_of(e)].erase(e, [this](auto a, auto b) { return before(a, b); });
  values_.forget();
  return {};
}

void ordered_values::insert_appeared() {
  for (const auto e : values_.appeared()) {
    const auto owner = values_.owner_of(e);
    if (owner >= order_.size())
      order_.resize(std::max<std::size_t>(owner + std::size_t{1}, order_.size() * 2));
    order_[owner].insert(e, [this](auto a, auto b) { return before(a, b); });
  }
}

void ordered_values::drop_owners(std::span<const std::uint8_t> marked) {
  values_.drop_owners(marked);
  for (std::size_t owner = 0; owner < std::min(marked.size(), order_.size()); ++owner)
    if (marked[owner] != 0)
      order_[owner] = {};
  values_.forget();
}

result<void> ordered_values::finish_load() {
  EBB_TRY(values_.finish_load());
  insert_appeared();
  values_.forget();
  return {};
}

result<column> ordered_values::finish(std::span<const std::uint32_t> slots) const {
  const auto rows = static_cast<std::uint32_t>(slots.size());
  std::vector<value_builder> builders;
  for (const auto& type : call_.arg_types)
    builders.emplace_back(type, rows);
  std::vector<std::uint32_t> targets;
  std::string bytes;
  const auto feed = [&](std::uint32_t e, std::uint32_t to) -> result<void> {
    const auto encoded = values_.index().encoded(e);
    unescape(encoded.substr(before_bytes, encoded.size() - before_bytes - behind_bytes), bytes);
    std::uint32_t skipped = 0;
    EBB_ASSERT(bytes.size() >= sizeof skipped);
    std::memcpy(&skipped, bytes.data() + bytes.size() - sizeof skipped, sizeof skipped);
    const auto times = once_ ? 1 : values_.count_of(e);
    for (std::int64_t t = 0; t < times; ++t) {
      auto exact = std::string_view(bytes).substr(skipped);
      for (auto& to_builder : builders)
        EBB_TRY(to_builder.append_encoded(exact));
      targets.push_back(to);
    }
    return {};
  };
  for (std::uint32_t i = 0; i < rows; ++i) {
    if (slots[i] >= order_.size() || order_[slots[i]].empty())
      continue;
    const auto& order = order_[slots[i]];
    if (needs_ == needs::first) {
      EBB_TRY(feed(order.front(), i));
    } else if (needs_ == needs::last) {
      EBB_TRY(feed(order.back(), i));
    } else {
      result<void> fed{};
      order.each([&](std::uint32_t e) {
        fed = feed(e, i);
        return static_cast<bool>(fed);
      });
      EBB_TRY(std::move(fed));
    }
  }
  std::vector<column> args;
  args.reserve(builders.size());
  for (auto& builder : builders)
    args.push_back(builder.take());
  const auto inner = call_.function->make(call_.arg_types);
  inner->resize(rows);
  EBB_TRY(inner->update(targets, args, nullptr, nullptr));
  std::vector<std::uint32_t> all(rows);
  std::iota(all.begin(), all.end(), 0U);
  return inner->finish(all);
}

std::size_t ordered_values::byte_size() const noexcept {
  std::size_t bytes = values_.byte_size();
  for (const auto& x : order_)
    bytes += sizeof x + x.byte_size();
  return bytes;
}

} // namespace ebb
